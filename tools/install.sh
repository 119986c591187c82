#!/bin/sh
# SPDX-License-Identifier: ISC
# install.sh install BUILD: puts the program that is there, and all that goes with
# it, below $DESTDIR, where $BINDIR, $MANDIR, $DOCDIR, $SYSCONFDIR, $UNITDIR and
# $SYSUSERSDIR say.
# install.sh uninstall BUILD: takes that back.
#
# Each file appears whole, in place of the one before. Of those that an
# administrator edits, $DOCDIR has a copy as they were installed: one that is
# different by now was edited, and stays; what is new lies beside it.
#
# By root and without $DESTDIR, the account is made, and systemd told.
set -eu
# Whatever the caller's is.
umask 022

account=socks5-handler
build=$2

# The list of all there is. What is done with each is $1_program, $1_file and
# so on.
each()
{
	"$1_program" "$build/socks5-handler" "$BINDIR/socks5-handler"
	"$1_file" man/socks5-handler.8 "$MANDIR/man8/socks5-handler.8"
	for page in rules users; do
		"$1_file" man/socks5-handler.$page.5 \
			"$MANDIR/man5/socks5-handler.$page.5"
	done

	# What one may read, laid out as in the tree, so that links work.
	for page in README.md NEWS.md SECURITY.md LICENSE doc/*.md \
		bench/results.md bench/*.svg; do
		"$1_file" "$page" "$DOCDIR/$page"
	done
	for name in inetd.conf tcpserver; do
		"$1_file" xinetd/$name "$examples/$name"
	done
	for name in filter.d jail.d; do
		"$1_file" fail2ban/$name/socks5-handler.conf \
			"$examples/fail2ban/$name/socks5-handler.conf"
	done

	"$1_file" systemd/sysusers.conf "$SYSUSERSDIR/socks5-handler.conf"
	"$1_account"
	"$1_edited" "$build/handler.conf" socks5-handler/handler.conf
	for name in rules users; do
		"$1_edited" etc/$name socks5-handler/$name
	done
	for name in socks5-handler socks5-handler-wait; do
		"$1_edited" xinetd/$name xinetd.d/$name
	done
	for unit in socks5-handler.socket socks5-handler@.service \
		socks5-handler-unix.socket socks5-handler-wait.socket \
		socks5-handler-wait.service; do
		"$1_file" systemd/$unit "$UNITDIR/$unit"
	done
	"$1_link" socks5-handler@.service "$UNITDIR/socks5-handler-unix@.service"
}

# render FILE: with the paths that it names as they are here.
render()
{
	sed "s|/usr/local/bin/|$BINDIR/|g
		s|/etc/socks5-handler/|$SYSCONFDIR/socks5-handler/|g" "$1"
}

# is_edited SOURCE NAME: neither as it was installed nor as it would be now.
is_edited()
{
	! cmp -s "$DESTDIR$SYSCONFDIR/$2" "$DESTDIR$examples/$2" &&
		! render "$1" 2>/dev/null | cmp -s - "$DESTDIR$SYSCONFDIR/$2"
}

# here: it is for this machine, and not for an image, a package or one user.
here()
{
	[ -z "$DESTDIR" ] && [ "$(id -u)" -eq 0 ]
}

# has_systemd: which can be told.
has_systemd()
{
	here && [ -d /run/systemd/system ]
}

# --- install ---------------------------------------------------------------

# put MODE FILE: what comes on standard input. Clients that come meanwhile find
# what was there before, or this.
put()
{
	mkdir -p "$DESTDIR${2%/*}"
	cat >"$DESTDIR$2.part"
	chmod "$1" "$DESTDIR$2.part"
	mv -f "$DESTDIR$2.part" "$DESTDIR$2"
}

install_program()
{
	put 755 "$2" <"$1"
}

install_file()
{
	render "$1" | put "$(if [ -x "$1" ]; then echo 755; else echo 644; fi)" \
		"$2"
}

install_link()
{
	ln -sf "$1" "$DESTDIR$2"
}

# While tunnels of version 0.1 are open, systemd answers for a user of this name
# that is gone with the last of them, and must not be taken for the account.
install_account()
{
	here || return 0
	export SYSTEMD_NSS_DYNAMIC_BYPASS=1
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers "$SYSUSERSDIR/socks5-handler.conf"
	elif ! getent passwd $account >/dev/null; then
		useradd --system --user-group --no-create-home --home-dir / \
			--shell /usr/sbin/nologin $account
	fi
}

# Hashes are for the account to read, and for nobody else.
put_edited()
{
	case $2 in
	*/users | */users.new)
		render "$1" | put 640 "$2"
		! here || chgrp $account "$2"
		;;
	*) render "$1" | put 644 "$2" ;;
	esac
}

install_edited()
{
	if [ ! -e "$DESTDIR$SYSCONFDIR/$2" ] || ! is_edited "$1" "$2"; then
		put_edited "$1" "$SYSCONFDIR/$2"
	elif ! render "$1" | cmp -s - "$DESTDIR$examples/$2"; then
		put_edited "$1" "$SYSCONFDIR/$2.new"
		echo "$SYSCONFDIR/$2 stays as it is;" \
			"what would be new is $SYSCONFDIR/$2.new."
	fi
	render "$1" | put 644 "$examples/$2"
}

install_all()
{
	mkdir -p "$DESTDIR$UNITDIR"
	each install
	rm -f "$DESTDIR$examples/fail2ban.conf" # its name in version 0.1
	here || return 0
	! has_systemd || systemctl daemon-reload
	if has_systemd && systemctl -q is-active socks5-handler-wait.service; then
		echo "Now: systemctl restart socks5-handler-wait.service" \
			"(no tunnel is cut)."
	else
		echo "Now: systemctl enable --now socks5-handler.socket;" \
			"or socks5-handler-wait.socket instead."
	fi
	echo "Options are in $SYSCONFDIR/socks5-handler/handler.conf."
}

# --- uninstall -------------------------------------------------------------

left=

# leave FILE: what is the administrator's.
leave()
{
	left="$left
    $1"
}

uninstall_program()
{
	rm -f "$DESTDIR$2"
}

uninstall_file()
{
	rm -f "$DESTDIR$2"
}

uninstall_link()
{
	rm -f "$DESTDIR$2"
}

uninstall_account()
{
	! here || ! getent passwd $account >/dev/null ||
		leave "the account $account (userdel $account)"
}

# A service for xinetd that may be turned on has a name now that it doesn't read.
uninstall_edited()
{
	path=$SYSCONFDIR/$2

	if [ ! -e "$DESTDIR$path" ] || ! is_edited "$1" "$2"; then
		rm -f "$DESTDIR$path"
	elif [ "${2%/*}" = xinetd.d ]; then
		mv -f "$DESTDIR$path" "$DESTDIR$path.saved"
		leave "$path.saved"
	else
		leave "$path"
	fi
	rm -f "$DESTDIR$path.new" "$DESTDIR$examples/$2"
}

# Nobody is let in any more; tunnels live on to their end.
stop_listening()
{
	has_systemd || return 0
	systemctl stop socks5-handler.socket socks5-handler-unix.socket \
		socks5-handler-wait.socket socks5-handler-wait.service \
		2>/dev/null || :
}

# What `systemctl enable` made leads to units that are gone, and so may links of
# an administrator's own.
remove_links()
{
	[ ! -d "$DESTDIR/etc/systemd/system" ] ||
		find "$DESTDIR/etc/systemd/system" -type l \
			-lname '*/systemd/system/socks5-handler*' -delete
}

uninstall_all()
{
	stop_listening
	remove_links
	each uninstall
	rm -f "$DESTDIR$examples/fail2ban.conf"
	for dir in "$examples/fail2ban/filter.d" "$examples/fail2ban/jail.d" \
		"$examples/fail2ban" "$examples/socks5-handler" \
		"$examples/xinetd.d" "$examples" "$DOCDIR/doc" "$DOCDIR/bench" \
		"$DOCDIR" "$SYSCONFDIR/socks5-handler"; do
		rmdir "$DESTDIR$dir" 2>/dev/null || :
	done
	if has_systemd; then
		rmdir /run/socks5-handler 2>/dev/null || :
		systemctl daemon-reload
		systemctl reset-failed 'socks5-handler*' 2>/dev/null || :
		! systemctl -q is-active xinetd.service ||
			systemctl reload xinetd.service
	fi
	for file in "$DESTDIR"/etc/systemd/system/socks5-handler* \
		"$DESTDIR"/etc/fail2ban/*.d/socks5-handler.*; do
		[ ! -e "$file" ] || leave "${file#"$DESTDIR"}"
	done
	! grep -qs "$BINDIR/socks5-handler" "$DESTDIR/etc/inetd.conf" ||
		leave "its line in /etc/inetd.conf"
	[ -z "$left" ] || echo "This is yours, and was left:$left"
}

examples=$DOCDIR/examples
"$1_all"
