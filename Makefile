# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# make                               builds a release
# make install PREFIX= DESTDIR=      installs it (SYSTEMD=yes: with the systemd unit)
# make uninstall PREFIX= DESTDIR=    removes what install put there
# make check                         installs what is missing and runs all tests
# make bench                         builds and measures flows and their alternatives (PREFIX is not touched)
# make soak                          the long tests: hours, not minutes (SOAK_ROUNDS, SOAK_SECONDS, SOAK_PARTS)

PREFIX ?= /usr/local
DESTDIR ?=
SYSTEMD ?= no
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
VERSION = 0.23.0
SOVERSION = 0.23

SWIFT ?= swift
SWIFTFLAGS ?= -c release --static-swift-stdlib
BUILD ?= .build/release
# Empty: what is installed keeps its symbols.
STRIP ?= -s
CFLAGS ?= -O2

TOOLS = irm oping oecho obench
DAEMONS = irmd ipcpd-local ipcpd-udp4 ipcpd-udp6
LIBRARIES = ouroboros-dev ouroboros-irm
# What was linked against the prototype may name its internal library, of which no program uses anything.
COMMON = libouroboros-common.so
COMPLETIONS = bash/irm:share/bash-completion/completions/irm bash/oping:share/bash-completion/completions/oping \
	bash/obench:share/bash-completion/completions/obench \
	zsh/_irm:share/zsh/site-functions/_irm zsh/_obench:share/zsh/site-functions/_obench \
	fish/irm.fish:share/fish/vendor_completions.d/irm.fish fish/obench.fish:share/fish/vendor_completions.d/obench.fish
# obench is C, as the programs are whose path it measures. It finds the libraries from where it is installed, and there
# the one by which it measures the Swift interface.
OBENCH_SWIFT = libobench-swift.so
OBENCH_LIBDIR = $(shell realpath -m --relative-to='$(PREFIX)/bin' '$(LIBDIR)')
OBENCH = -std=gnu11 -Wall -Wextra -IInclude Benchmarks/obench/*.c -L$(BUILD) $(LIBRARIES:%=-l%) -pthread -lm \
	-Wl,-rpath,'$$ORIGIN/$(OBENCH_LIBDIR):$$ORIGIN/$(OBENCH_LIBDIR)/ouroboros'

all:
	$(SWIFT) build $(SWIFTFLAGS)
	printf '' | $(CC) -shared -nostdlib -x c - -Wl,-soname,$(COMMON).$(SOVERSION) -o $(BUILD)/$(COMMON)
	$(CC) $(CFLAGS) -o $(BUILD)/obench $(OBENCH)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(LIBDIR)/cmake/Ouroboros $(DESTDIR)$(INCLUDEDIR)/ouroboros
	for tool in $(TOOLS); do install $(STRIP) -m 755 $(BUILD)/$$tool $(DESTDIR)$(PREFIX)/bin/; done
	for daemon in $(DAEMONS); do install $(STRIP) -m 755 $(BUILD)/$$daemon $(DESTDIR)$(PREFIX)/sbin/; done
	for library in $(LIBRARIES); do \
		install $(STRIP) -m 755 $(BUILD)/lib$$library.so $(DESTDIR)$(LIBDIR)/lib$$library.so.$(VERSION); \
		ln -sf lib$$library.so.$(VERSION) $(DESTDIR)$(LIBDIR)/lib$$library.so.$(SOVERSION); \
		ln -sf lib$$library.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/lib$$library.so; \
		sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|' pkgconfig/$$library.pc.in \
			>$(DESTDIR)$(LIBDIR)/pkgconfig/$$library.pc; \
	done
	install -D $(STRIP) -m 755 $(BUILD)/$(OBENCH_SWIFT) $(DESTDIR)$(LIBDIR)/ouroboros/$(OBENCH_SWIFT)
	install -m 755 $(BUILD)/$(COMMON) $(DESTDIR)$(LIBDIR)/$(COMMON).$(VERSION)
	ln -sf $(COMMON).$(VERSION) $(DESTDIR)$(LIBDIR)/$(COMMON).$(SOVERSION)
	ln -sf $(COMMON).$(SOVERSION) $(DESTDIR)$(LIBDIR)/$(COMMON)
	for file in Config ConfigVersion; do \
		sed 's|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|' pkgconfig/cmake/Ouroboros$$file.cmake.in \
			>$(DESTDIR)$(LIBDIR)/cmake/Ouroboros/Ouroboros$$file.cmake; \
	done
	install -m 644 Include/ouroboros/*.h $(DESTDIR)$(INCLUDEDIR)/ouroboros/
	for section in 1 3 7 8; do \
		install -d $(DESTDIR)$(MANDIR)/man$$section; \
		cp -P --remove-destination man/*.$$section $(DESTDIR)$(MANDIR)/man$$section/; \
		chmod 644 $(DESTDIR)$(MANDIR)/man$$section/*.$$section; \
	done
	for pair in $(COMPLETIONS); do install -D -m 644 completions/$${pair%%:*} $(DESTDIR)$(PREFIX)/$${pair#*:}; done
ifeq ($(SYSTEMD),yes)
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@PREFIX@|$(PREFIX)|' systemd/ouroboros.service.in >$(DESTDIR)$(UNITDIR)/ouroboros.service
endif

uninstall:
	rm -f $(TOOLS:%=$(DESTDIR)$(PREFIX)/bin/%) $(DAEMONS:%=$(DESTDIR)$(PREFIX)/sbin/%)
	for library in $(LIBRARIES); do \
		rm -f $(DESTDIR)$(LIBDIR)/lib$$library.so $(DESTDIR)$(LIBDIR)/lib$$library.so.$(SOVERSION) \
			$(DESTDIR)$(LIBDIR)/lib$$library.so.$(VERSION) $(DESTDIR)$(LIBDIR)/pkgconfig/$$library.pc; \
	done
	rm -f $(DESTDIR)$(LIBDIR)/$(COMMON)*
	rm -rf $(DESTDIR)$(LIBDIR)/ouroboros
	for section in 1 3 7 8; do \
		for page in man/*.$$section; do rm -f $(DESTDIR)$(MANDIR)/man$$section/$${page#man/}; done; \
	done
	for pair in $(COMPLETIONS); do rm -f $(DESTDIR)$(PREFIX)/$${pair#*:}; done
	rm -rf $(DESTDIR)$(LIBDIR)/cmake/Ouroboros $(DESTDIR)$(INCLUDEDIR)/ouroboros
	rm -f $(DESTDIR)$(UNITDIR)/ouroboros.service

check:
	./check

bench:
	$(MAKE) --silent install PREFIX=$(CURDIR)/.build/bench DESTDIR=
	Benchmarks/run $(CURDIR)/.build/bench
	Benchmarks/python/run $(CURDIR)/.build/bench
	if [ "$$(id -u)" -eq 0 ]; then Benchmarks/udp/run $(CURDIR)/.build/bench 3; \
	else echo 'Flows between hosts are measured by root alone: they need network namespaces.'; fi

soak:
	Scripts/soak

clean:
	$(SWIFT) package clean

.PHONY: all install uninstall check bench soak clean
