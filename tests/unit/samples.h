/* SPDX-License-Identifier: ISC */
/*
 * samples: hashes as the tools really make them, of "correct horse" (the one
 * by DES knows the first eight bytes only).
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#define SAMPLE_PASSWORD "correct horse"

/* openssl passwd -6, htpasswd -B, mkpasswd -m yescrypt */
#define SAMPLE_SHA512                                                        \
	"$6$O5hBDtdwPaVORLNz$1kCrL5DMitKqXozQes0xMZkUpI8nZoGRfuOnKGRadJMauT" \
	"IkUCwhxDJUUBPoiMR5SrAARqPXNCeHfshyAjNYs0"
#define SAMPLE_BCRYPT \
	"$2y$05$5lrF61Tbaq1i7miBv/cjTeddK4cXu8jZl1C8gUxvy/Pmou.FFnY6S"
#define SAMPLE_YESCRYPT                                                       \
	"$y$j75$XxradVaebLEoZPDvKcXdv0$1/DErHibbMtMU/enq4a5TackMUGba8kJoGUH5" \
	"3JcFcD"

static const struct sample {
	const char *tool, *hash;
} samples[] = {
    {"openssl passwd -6", SAMPLE_SHA512},
    {"htpasswd -B", SAMPLE_BCRYPT},
    {"mkpasswd -m yescrypt -R 1", SAMPLE_YESCRYPT},
    {"mkpasswd -m yescrypt",
	"$y$j9T$j02tTZNIY7nf6XBVlH/y81$xWauWQoISVaDyl.FB0d9UFBmja9uR725avMSi"
	"IkuQF3"},
    {"mkpasswd -m gost-yescrypt",
	"$gy$j9T$QazD9Ev16OJHnXIiwEs7o.$hE6ZYxoEr1DkRHF73Ywl8bawnCSU.g0YXfdZ"
	"gNvXMW9"},
    {"mkpasswd -m scrypt",
	"$7$CU..../....lX8e.P91ul53cNWFCBGNz.$6D7x.DQb6IS9M9.Ai1x039.PTlxglP"
	"SEoxw/wuAJRd5"},
    {"mkpasswd -m bcrypt",
	"$2b$05$Otm2VnE9QRT6XqqSpxpFT.ZBw/5mQVifnZERm4Fjf9zwshtFRR/hi"},
    {"mkpasswd -m bcrypt-a",
	"$2a$05$.f7Ybz6zvXm.73hmrERBtOrRP7F.TOIFMqqqMtQkg7RWoNPe9eLcG"},
    {"mkpasswd -m sha512crypt",
	"$6$YOMIHuaGJXPyoVua$nOiIKjkiRLY5pP0q/xCE8907favNAOGViRb4r9DlIFsYycQ"
	"VPg4/mxfBvNzc4lRabA8rEiZ.xQ84ytvusFY9M."},
    {"mkpasswd -m sha512crypt -R 10000",
	"$6$rounds=10000$k9xG96PzvmVfr6GD$pI99Gl/lH.sVKs7ycecwckW70Lm/GPLKvG"
	"1e4nuWm75/vmwvNU6ugUxVWqFFVr5HF/QPPCvTZKPQ4pPAcOc8y/"},
    {"mkpasswd -m sha512crypt -R 1000",
	"$6$rounds=1000$uGcXR1AmJwY6FFfK$X/EWC3wdreDE5T3jjBe/iZSkbE3mmMOtEWv"
	"3UeeH/SlFUOZBG.wOWAQzTqhmOPBbgjug50FDcaYzSe52IsnP/1"},
    {"mkpasswd -m sha256crypt",
	"$5$hUXZ7Aw/ZOKU.ZW1$jFvk/rjjHo7VPNQhMkLG0zxEdu082cGFKbFlhLSm6A0"},
    {"openssl passwd -5",
	"$5$dZGCcWzGWF.gezXv$b5yhV8HuzNnQ4R6diN33NpBYvqlewcMh/9qwccI/DR5"},
    {"htpasswd -2",
	"$5$PfdMM2v7ddPuscLt$Zs3lILGOmRElCInZkpAPzOqIr1DesebKtMkImmlmFRA"},
    {"htpasswd -5",
	"$6$gLp9OByCRzHsYw4b$6B/pVjRooM8KUS8IQ/CtWsVRXw9.ycEliU3javzm5CuoFQq"
	"UIO7N8lxZhh75CW8GCjuF5XJz4qObqidKw7VvV."},
    {"mkpasswd -m sunmd5",
	"$md5,rounds=70728$xyME0oX5$$2.uHFlxmprjsM9sBNNl5l1"},
    {"mkpasswd -m md5crypt", "$1$qcCfXqaX$U2PFl6l7qbS5DRxv.w6Jk."},
    {"openssl passwd -1", "$1$t69c.eFS$BMcGbs8ZEuMjDAfyTlxQO."},
    {"perl, crypt()", "$sha1$1000$abcdefgh$LpGT5uib.TPY6JU14eMS/Z58xRQB"},
    {"mkpasswd -m bsdicrypt", "_J9..tJCVNWW7lSuvUyA"},
    {"mkpasswd -m descrypt", "pE8IzkEBLaF7E"},
    {"mkpasswd -m nt", "$3$$cfc43211ba8dc470832267827cac1407"},
};

#endif
