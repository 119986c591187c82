# SPDX-License-Identifier: ISC
# socks5-handler: `make help` lists the targets.

VERSION = 0.2.0

SHELL = bash
.SHELLFLAGS = -o pipefail -ec

BUILD ?= release
PORT ?= 1080
CC = $(or $(CC_$(BUILD)),gcc)

# Where `make install` puts things. Units go where systemd says, for whatever
# PREFIX, and xinetd reads one directory only.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/socks5-handler
SYSCONFDIR ?= /etc
UNITDIR ?= $(or $(shell pkg-config --variable=systemdsystemunitdir systemd \
	2>/dev/null),/usr/lib/systemd/system)
SYSUSERSDIR ?= $(or $(shell pkg-config --variable=sysusersdir systemd \
	2>/dev/null),/usr/lib/sysusers.d)

# Debian packages: of a BUILD, and what each target needs beyond it.
BUILD_PACKAGES = gcc libc6-dev libsystemd-dev pkg-config
BUILD_PACKAGES_static = gcc musl-tools linux-libc-dev
RUN_PACKAGES = systemd curl
CHECK_PACKAGES = systemd bats libcmocka-dev curl busybox socat ncat \
	netcat-openbsd openssh-client git iproute2 procps strace util-linux \
	connect-proxy proxychains4 torsocks dante-client python3-socks tnftp \
	python3-pyftpdlib netbase openssl whois apache2-utils bubblewrap openvpn
# Each for a test or two and larger than the others together: in CI only, or by
# `make large-packages`; where they aren't, those tests are skipped.
LARGE_PACKAGES = chromium links2 nodejs node-socks
LINT_PACKAGES = clang-format clang-tidy cppcheck shellcheck mandoc systemd \
	libcmocka-dev
COVERAGE_PACKAGES = gcovr
FUZZ_PACKAGES = clang libclang-rt-dev
BENCH_PACKAGES = microsocks openssh-client gnuplot-nox systemd iproute2 \
	ethtool procps util-linux
# These would start a daemon, and are only unpacked.
BENCH_UNPACKED = dante-server openssh-server ucspi-tcp xinetd

# V=1 shows the commands.
Q = $(if $(V),,@)
SAY = $(if $(V),@:,@printf '  %s %s\n')

O = build/$(BUILD)
TOP := $(CURDIR)

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wformat=2 -Wcast-qual -Wundef -Wvla -Wnull-dereference \
	-Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough
CPPFLAGS_ALL = -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Isrc \
	$(CPPFLAGS_$(BUILD)) $(CPPFLAGS)
CFLAGS_ALL = -std=c11 -g $(WARNINGS) $(CFLAGS_$(BUILD)) $(CFLAGS)
LDFLAGS_ALL = $(LDFLAGS_$(BUILD)) $(LDFLAGS)

# Without -ftrivial-auto-var-init, which writes to buffers before their use.
CFLAGS_release = -O2 -fPIE -fstack-protector-strong -fstack-clash-protection \
	-D_FORTIFY_SOURCE=3 -fno-strict-aliasing -fno-strict-overflow \
	-fno-delete-null-pointer-checks
LDFLAGS_release = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed

# musl, whose compiler doesn't look where the kernel's headers are. A static
# PIE, which costs no time that could be measured; musl-gcc doesn't know
# -static-pie, and so is told what that means, with its start file.
CC_static = musl-gcc
CPPFLAGS_static = -idirafter /usr/include \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch)
CFLAGS_static = $(CFLAGS_release)
LDFLAGS_static = $(LDFLAGS_release) -nostartfiles -l:rcrt1.o \
	-Wl,-static,--no-dynamic-linker,-z,text

CFLAGS_asan = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
# The sanitizers' libraries in it: it starts and ends in half the time.
LDFLAGS_asan = -fsanitize=address,undefined -static-libasan -static-libubsan
CFLAGS_coverage = -O0 --coverage -fprofile-update=atomic
LDFLAGS_coverage = --coverage
CFLAGS_fuzz = -O1 -fsanitize=fuzzer-no-link,address,undefined
LDFLAGS_fuzz = -fsanitize=address,undefined
# Of descriptors it knows neither that an errno is positive, and so that a failure
# is < 0, nor that io_close_from() closes one, nor which are meant to stay (gcc 14).
CFLAGS_analyzer = -O2 -fanalyzer -Werror -Wno-analyzer-fd-leak \
	-Wno-analyzer-fd-use-without-check
CFLAGS_lint = -O2 -Werror -D_FORTIFY_SOURCE=2

MODULES = $(filter-out $(REPLACED_$(BUILD)),$(wildcard src/*/*.c src/*/*/*.c)) \
	$(INSTEAD_$(BUILD))
# What stands in for a module: there is no libsystemd in the static build.
INSTEAD_static = static/systemd.c static/libcrypt.c
REPLACED_static = src/base/systemd.c src/policy/libcrypt.c
LIB = $(O)/libsocks5-handler.a
BIN = $(O)/socks5-handler
UNIT = $(patsubst %.c,$(O)/%,$(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c))
FUZZ = $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/*/fuzz_*.c))
HOSTS = $(addprefix $(O)/tests/hosts/,client target listen hear \
	udp-target nameserver peek)
BENCH = $(patsubst %,$(O)/bench/%,load accept-exec start empty)
SOURCES = socks5-handler.c \
	$(shell find src static tests bench -name '*.[ch]')
SCRIPTS = $(wildcard tools/*.sh tools/*.bash tests/*.sh tests/*.bash tests/*.bats) \
	$(wildcard bench/*.bash) bench/run bench/inside bench/charts \
	tests/run .ci/run xinetd/tcpserver

# Packages first, then all else, with as many jobs as were asked for, or two; and
# one target after the other: two would install, or compile, the same at once.
ifeq ($(MAKELEVEL),0)
.NOTPARALLEL:
endif
QUIETLY = --no-print-directory $(if $(V),,-s) \
	$(if $(findstring jobserver,$(MAKEFLAGS)),,-j2)

all: build-packages
	@$(MAKE) $(QUIETLY) $(BIN)

static:
	@$(MAKE) --no-print-directory BUILD=static all

help:
	@echo 'make             build build/release/socks5-handler'
	@echo 'make static      build build/static/socks5-handler: musl, no journal'
	@echo 'make run         serve SOCKS5 on 127.0.0.1:1080 (PORT=1080)'
	@echo '                 OPTIONS=--lifetime=0: longer than 30 seconds'
	@echo 'make check       run every test; BUILD=asan: under sanitizers'
	@echo '                 BUILD=static: those that are run on that build'
	@echo '                 ONLY="relay time": these suites alone'
	@echo '                 TEST=REGEX: of these the tests of such a name'
	@echo 'make check-on RELEASE=trixie'
	@echo '                 the first hour, on a fresh Debian of that release'
	@echo 'make large-packages'
	@echo '                 install what few tests need: a browser, node'
	@echo 'make lint        format, layers, static analysis, scripts, units'
	@echo 'make format      what lint says of the form of C, mended'
	@echo 'make soak        22,000 clients, while processes are killed at random'
	@echo 'make coverage    which lines the tests reach'
	@echo 'make fuzz        look for new inputs (SECONDS=60 each)'
	@echo 'make bench       measure it beside others; a quarter of an hour at most'
	@echo '                 ONLY="setup bulk": these parts alone'
	@echo 'make install     to PREFIX=$(PREFIX), DESTDIR= in front of all'
	@echo 'make uninstall   take it back'
	@echo 'make clean       remove build/'
	@echo 'Packages that are missing are named, and installed by apt-get.'

# --- the program ---------------------------------------------------------

$(BIN): $(O)/socks5-handler.o $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^

# The same program with another relay: one that splices from the first byte on,
# for the tests, and one that never does, for the benchmark.
RELAYS = splice readwrite
RELAY_splice = -DFLOW_BULK_READ=1
RELAY_readwrite = -DFLOW_BULK_READ=SSIZE_MAX

$(RELAYS:%=$(O)/src/net/flow-%.o): $(O)/src/net/flow-%.o: \
		src/net/flow.c Makefile
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS_ALL) $(RELAY_$*) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(RELAYS:%=$(BIN)-%): $(BIN)-%: $(O)/socks5-handler.o $(O)/src/net/flow-%.o $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^

$(LIB): $(MODULES:%.c=$(O)/%.o)
	$(SAY) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

-include $(shell find $(O) -name '*.d' 2>/dev/null)

run: run-packages
	@$(MAKE) $(QUIETLY) $(BIN)
	@tools/run.sh '$(PORT)' $(TOP)/$(BIN) $(OPTIONS)

# --- the tests -----------------------------------------------------------

# tests/unit/unit.c sees each group of tests before it is run.
CMOCKA = -Wl,--wrap=_cmocka_run_group_tests -lcmocka

$(UNIT): CPPFLAGS_ALL += -Itests/unit
$(UNIT): %: %.o $(O)/tests/unit/unit.o $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(CMOCKA)

$(O)/tests/unit/net/test_relay-splice: $(O)/tests/unit/net/test_relay.o \
		$(O)/tests/unit/unit.o $(O)/src/net/flow-splice.o $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(CMOCKA)

# It refuses to splice.
$(O)/tests/unit/net/test_relay $(O)/tests/unit/net/test_relay-splice: \
		LDFLAGS_ALL += -Wl,--wrap=splice

# These run out of memory.
$(O)/tests/unit/base/test_textfile: LDFLAGS_ALL += -Wl,--wrap=malloc
$(O)/tests/unit/service/test_accept: LDFLAGS_ALL += -Wl,--wrap=clients_reserve

# It counts what is asked of crypt(3).
$(O)/tests/unit/policy/test_auth: LDFLAGS_ALL += -Wl,--wrap=libcrypt_hash

# Of the module and of what stands in for it.
$(O)/tests/unit/base/test_systemd-static: $(O)/tests/unit/base/test_systemd.o \
		$(O)/tests/unit/unit.o $(O)/static/systemd.o $(O)/src/base/number.o
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(CMOCKA)

$(O)/tests/hosts/client: $(O)/tests/hosts/service.o
$(HOSTS): %: %.o $(O)/tests/hosts/play.o $(O)/tests/hosts/datagram.o
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^

$(FUZZ): CPPFLAGS_ALL += -Itests/fuzz
$(FUZZ): %: %.o $(O)/tests/fuzz/replay.o $(LIB)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^

check-programs: $(BIN) $(UNIT) $(HOSTS) $(FUZZ) $(BENCH) $(BIN)-splice \
		$(O)/tests/unit/net/test_relay-splice \
		$(O)/tests/unit/base/test_systemd-static

# The static build has no cmocka: what is run on it comes from the other one.
check: CHECK_BUILD = $(BUILD:static=release)
check: check-packages
	@$(MAKE) $(QUIETLY) BUILD=$(CHECK_BUILD) check-programs
	@[ $(CHECK_BUILD) != release ] || \
		$(MAKE) $(QUIETLY) BUILD=static build/static/socks5-handler
	@TEST='$(subst ','\'',$(value TEST))' tests/run $(BUILD) $(ONLY)

# WHO="root user alone": as whom, without it as each of them; ONLY="cli relay".
check-on: check-on-packages
	@ONLY='$(ONLY)' tools/check-on.sh '$(RELEASE)' $(WHO)

# Half a minute; the tests do a short form of it.
soak: build-packages $(BIN)
	@unshare -n sh -c 'ip link set lo up; exec tests/soak $(BIN)'

coverage: coverage-packages
	find build/coverage -name '*.gcda' -delete 2>/dev/null || :
	$(MAKE) BUILD=coverage check
	gcovr -r . --object-directory build/coverage -f src/ \
		-f socks5-handler.c

# libFuzzer starts from the corpus, and writes what it finds to build/.
fuzz: fuzz-packages
	@for target in $(FUZZ:$(O)/tests/fuzz/%=%); do \
		$(MAKE) --no-print-directory -s BUILD=fuzz CC=clang \
			FUZZ_TARGET=$$target fuzz-one || exit 1; \
	done

SECONDS ?= 60
fuzz-one: CPPFLAGS_ALL += -Itests/fuzz
fuzz-one: $(O)/tests/fuzz/$(FUZZ_TARGET).o $(LIB)
	@mkdir -p build/fuzz/found/$(FUZZ_TARGET)
	$(CC) -fsanitize=fuzzer,address,undefined \
		-o $(O)/$(notdir $(FUZZ_TARGET)) $^
	$(O)/$(notdir $(FUZZ_TARGET)) -max_total_time=$(SECONDS) -max_len=1024 \
		build/fuzz/found/$(FUZZ_TARGET) \
		tests/fuzz/corpus/$(patsubst fuzz_%,%,$(notdir $(FUZZ_TARGET)))

# --- the benchmark -------------------------------------------------------

LOAD = main load setup bulk exchange idle udp target tunnel measure

$(O)/bench/load: $(LOAD:%=$(O)/bench/%.o)
$(BENCH): %: %.o
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^)

# The least that the static build can cost; without musl there is none.
$(O)/bench/empty-static: bench/empty.c Makefile
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)! command -v musl-gcc >/dev/null || \
		musl-gcc -std=c11 -O2 -static -s -o $@ $<

bench-programs: $(BIN) $(BIN)-readwrite $(BENCH) $(O)/bench/empty-static

bench: bench-packages
	@$(MAKE) $(QUIETLY) bench-programs
	@$(MAKE) $(QUIETLY) BUILD=static build/static/socks5-handler
	@bench/run $(ONLY)

# --- lint ----------------------------------------------------------------

# Two at a time, those that take seconds first, then the longest; and what one
# of them says in one piece.
lint: lint-packages
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint-layers \
		lint-man lint-units lint-format lint-shell lint-warnings \
		lint-tidy lint-cppcheck

lint-format:
	$(SAY) LINT format
	$(Q)clang-format --dry-run -Werror $(SOURCES)
	$(Q)! grep -nE '^	+for \(.*;$$|^} \* ' $(SOURCES) || { echo \
		'clang-format 14 and 19 disagree about these' && false; }

format: lint-packages
	$(Q)clang-format -i $(SOURCES)

lint-layers:
	$(SAY) LINT layers
	$(Q)tests/layers.sh

lint-warnings:
	$(SAY) LINT warnings
	@$(MAKE) --no-print-directory -s BUILD=lint check-programs
	@$(MAKE) --no-print-directory -s BUILD=analyzer \
		build/analyzer/socks5-handler \
		$(INSTEAD_static:%.c=build/analyzer/%.o)
	@$(MAKE) --no-print-directory -s BUILD=static O=build/lint-static \
		CFLAGS=-Werror build/lint-static/socks5-handler

# Suppressed: that it doesn't look for the system's headers, for it knows what is
# in them; that it doesn't follow every branch (2.17); and that a buffer is used
# without a value where another argument of the call fills it, of which it knows
# nothing. gcc and clang-tidy look for those.
lint-cppcheck:
	$(SAY) LINT cppcheck
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=uninitvar \
		--suppress=normalCheckLevelMaxBranches -Isrc -D_GNU_SOURCE \
		-DVERSION='"0"' socks5-handler.c src static

# .clang-tidy says which checks, and why not others.
TIDY = $(patsubst %,lint-tidy/%,socks5-handler.c \
	$(wildcard src/*/*.c src/*/*/*.c static/*.c))
lint-tidy: $(TIDY)
$(TIDY): lint-tidy/%:
	$(SAY) TIDY $*
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $* -- -std=c11 \
		$(CPPFLAGS_ALL) 2>&1 | { grep -v ' warnings\? generated\.$$' || :; }

lint-shell:
	$(SAY) LINT shell
	$(Q)shellcheck $(SCRIPTS)

# Below a warning are manual pages that aren't installed on this machine.
lint-man:
	$(SAY) LINT man
	$(Q)mandoc -T lint -W warning man/*.[58]

# As installed, but with the program where it is: it has to exist.
lint-units: $(BIN)
	$(SAY) LINT units
	@rm -rf build/units && mkdir -p build/units
	@for unit in systemd/*.socket systemd/*.service; do \
		sed 's|/usr/local/bin/socks5-handler|$(TOP)/$(BIN)|' "$$unit" \
			>"build/units/$${unit##*/}"; \
	done
	@ln -s socks5-handler@.service \
		build/units/socks5-handler-unix@.service
	$(Q)systemd-analyze verify --man=no build/units/*

# --- installation --------------------------------------------------------

INSTALL = env DESTDIR='$(DESTDIR)' BINDIR='$(BINDIR)' MANDIR='$(MANDIR)' \
	DOCDIR='$(DOCDIR)' SYSCONFDIR='$(SYSCONFDIR)' UNITDIR='$(UNITDIR)' \
	SYSUSERSDIR='$(SYSUSERSDIR)' tools/install.sh

# Made by the program, of all its options; another processor's has to be run by
# something: RUN=qemu-aarch64.
$(O)/handler.conf: $(BIN)
	$(Q)$(RUN) $(BIN) --help=conf >$@

install: $(BIN) $(O)/handler.conf
	@$(INSTALL) install $(O)

uninstall:
	@$(INSTALL) uninstall $(O)

clean:
	rm -rf build

# --- what is missing -----------------------------------------------------

# Each with one installation. What isn't in an ordinary user's PATH is in sbin.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
NEED = @tools/need.sh
BUILDS = $(BUILD_PACKAGES) $(BUILD_PACKAGES_static)

build-packages:
	$(NEED) $(or $(BUILD_PACKAGES_$(BUILD)),$(BUILD_PACKAGES))
run-packages:
	$(NEED) $(or $(BUILD_PACKAGES_$(BUILD)),$(BUILD_PACKAGES)) $(RUN_PACKAGES)
check-packages:
	@tests/fetch-superservers.sh build/superservers
	$(NEED) $(BUILDS) $(CHECK_PACKAGES) $(if $(CI),$(LARGE_PACKAGES)) \
		$$(<build/superservers/libraries)
	$(NEED) --offer large-packages $(LARGE_PACKAGES)
large-packages:
	$(NEED) $(LARGE_PACKAGES)
check-on-packages:
	$(NEED) mmdebstrap debian-archive-keyring git
lint-packages:
	$(NEED) $(BUILDS) $(LINT_PACKAGES)
coverage-packages:
	$(NEED) $(COVERAGE_PACKAGES)
fuzz-packages:
	$(NEED) $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
bench-packages:
	@tests/fetch-superservers.sh build/bench/unpacked $(BENCH_UNPACKED)
	$(NEED) $(BUILDS) $(BENCH_PACKAGES) $$(<build/bench/unpacked/libraries)

.PHONY: all static help run soak check check-on check-programs coverage fuzz fuzz-one bench \
	bench-programs bench-packages lint format \
	lint-format lint-layers lint-warnings lint-cppcheck lint-tidy \
	lint-shell lint-man lint-units $(TIDY) install uninstall clean \
	build-packages run-packages check-packages large-packages \
	check-on-packages lint-packages coverage-packages fuzz-packages
.SECONDARY:
