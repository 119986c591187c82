# socks5-handler: `make help` lists the targets.

VERSION = 0.1.0

# BUILD=asan and BUILD=coverage build beside this one; nothing is shared.
BUILD ?= release
PREFIX ?= /usr/local
PORT ?= 1080
CC = gcc

O = build/$(BUILD)
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wformat=2 -Wcast-qual -Wundef -Wvla -Wnull-dereference \
	-Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough -Wduplicated-cond
CPPFLAGS_ALL = -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Isrc $(CPPFLAGS)
CFLAGS_ALL = -std=c11 -g $(WARNINGS) $(CFLAGS_$(BUILD)) $(CFLAGS)
LDFLAGS_ALL = $(LDFLAGS_$(BUILD)) $(LDFLAGS)

# No -ftrivial-auto-var-init: it would write to every page of every buffer.
CFLAGS_release = -O2 -fPIE -fstack-protector-strong -fstack-clash-protection \
	-D_FORTIFY_SOURCE=3 -fno-strict-aliasing -fno-strict-overflow \
	-fno-delete-null-pointer-checks
LDFLAGS_release = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
CFLAGS_asan = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
LDFLAGS_asan = -fsanitize=address,undefined
CFLAGS_coverage = -O0 --coverage
LDFLAGS_coverage = --coverage

SRC = $(wildcard src/*.c)
LIB = $(O)/libsocks5-handler.a
BIN = $(O)/socks5-handler

all: $(BIN)

$(BIN): $(O)/socks5-handler.o $(LIB)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^

$(LIB): $(SRC:%.c=$(O)/%.o)
	rm -f $@ && ar rcs $@ $^

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

-include $(shell find $(O) -name '*.d' 2>/dev/null)
.PHONY: all
