# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# make                               builds a release
# make install PREFIX= DESTDIR=      copies it there, and builds nothing (SYSTEMD=yes: with the systemd unit)
# make uninstall PREFIX= DESTDIR=    removes what install put there; needs no build
# make check                         installs what is missing and runs all tests
# make bench                         builds and measures flows and their alternatives (PREFIX is not touched)
# make soak                          the long tests: hours, not minutes (SOAK_ROUNDS, SOAK_SECONDS, SOAK_PARTS)

# Each recipe is one script of the shell, and ends at the first command that fails.
SHELL = /bin/sh
.SHELLFLAGS = -euc
.ONESHELL:
# "make -j all install" builds before it installs. The build itself uses all processors.
.NOTPARALLEL:

PREFIX ?= /usr/local
DESTDIR ?=
SYSTEMD ?= no
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
VERSION = 0.23.0
SOVERSION = 0.23
# What --version says; Package.swift reads it, too. Empty without a repository, as in an archive, which has it inside.
export OUROBOROS_COMMIT ?= $(shell git -C '$(CURDIR)' rev-parse --short HEAD 2>/dev/null)

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
# One file for each shell, for all programs.
BASH_COMPLETIONS = share/bash-completion/completions
FISH_COMPLETIONS = share/fish/vendor_completions.d
COMPLETIONS = $(foreach program,irmd $(TOOLS),bash/ouroboros:$(BASH_COMPLETIONS)/$(program) \
	fish/ouroboros.fish:$(FISH_COMPLETIONS)/$(program).fish) zsh/_ouroboros:share/zsh/site-functions/_ouroboros
# obench is C, as the programs are whose path it measures. It finds the libraries from where it is installed, and there
# the one by which it measures the Swift interface.
OBENCH_SWIFT = libobench-swift.so
OBENCH = -std=gnu11 -Wall -Wextra -IInclude -ISources/Drivers/CTools/include Benchmarks/obench/*.c \
	Sources/Drivers/CTools/*.c '-DOUROBOROS_COMMIT="$(OUROBOROS_COMMIT)"' -L'$(BUILD)' $(LIBRARIES:%=-l%) -pthread -lm

all:
	@command -v $(firstword $(SWIFT)) >/dev/null || {
		echo 'make: $(firstword $(SWIFT)) is not in PATH; building needs Swift 6.3 or newer (README.md)' >&2
		exit 1
	}
	foreign=$$(find .build -maxdepth 3 -type d ! -writable -print -quit 2>/dev/null || :)
	if [ -n "$$foreign" ]; then
		echo "make: $$foreign belongs to another user, who built here before; remove or chown .build" >&2
		exit 1
	fi
	$(DIRECTORIES)
	$(SWIFT) build $(SWIFTFLAGS)
	printf '' | $(CC) -shared -nostdlib -x c - -Wl,-soname,$(COMMON).$(SOVERSION) -o '$(BUILD)/$(COMMON)'
	# The usual places of libraries, too, so that they can still be chosen when it is installed.
	path=
	for directory in "$$(realpath -ms --relative-to="$$prefix/bin" "$$libdir")" ../lib ../lib64 \
		"../lib/$$($(CC) -print-multiarch 2>/dev/null || :)"; do
		path=$$path\$$ORIGIN/$$directory:\$$ORIGIN/$$directory/ouroboros:
	done
	$(CC) $(CFLAGS) -o '$(BUILD)/obench' $(OBENCH) -Xlinker -rpath -Xlinker "$${path%:}"

# A value with a $ is taken as it is, unless it refers to a variable of make, such as LIBDIR='$(PREFIX)/lib64'.
REFERENCE := $$(
OTHER_REFERENCE := $${
value_of = $(if $(findstring $(REFERENCE),$(value $(1)))$(findstring $(OTHER_REFERENCE),$(value $(1))),$($(1)),$(value $(1)))
all install uninstall: export given_PREFIX = $(call value_of,PREFIX)
all install uninstall: export given_LIBDIR = $(call value_of,LIBDIR)
all install uninstall: export given_INCLUDEDIR = $(call value_of,INCLUDEDIR)
all install uninstall: export given_MANDIR = $(call value_of,MANDIR)
all install uninstall: export given_UNITDIR = $(call value_of,UNITDIR)
all install uninstall: export given_DESTDIR = $(call value_of,DESTDIR)

# Sets the directories, as absolute paths; of / the empty one. Those that files speak of have to fit into all of them.
define DIRECTORIES
refuse() { echo "make $@: $$1" >&2; exit 1; }
absolute() { # absolute VARIABLE PATH
	case $$2 in
		'') refuse "$$1 is empty; write $$1=/ if the root directory is meant" ;;
		'~'*) refuse "$$1 is $$2: the shell has not replaced ~; write \"$$1=\$$HOME/...\"" ;;
		/*) ;;
		*) [ -z "$$given_DESTDIR" ] || refuse "$$1 is $$2: with DESTDIR it has to begin with /" ;;
	esac
	[ "$$(printf '%s' "$$2" | wc -l)" -eq 0 ] || refuse "$$1 has a line break in it"
	place=$$(realpath -ms -- "$$2")
	[ "$$place" != / ] || place=
}
plain() { # plain VARIABLE PATH
	absolute "$$@"
	case $$place in
		*[\"\\\$$\`\;:]*) refuse "$$1 is $$2: one of \" \\ \$$ \` ; : is in it, which pkg-config, CMake or PATH cannot carry" ;;
	esac
}
plain PREFIX "$$given_PREFIX"; prefix=$$place
plain LIBDIR "$$given_LIBDIR"; libdir=$$place
plain INCLUDEDIR "$$given_INCLUDEDIR"; includedir=$$place
absolute MANDIR "$$given_MANDIR"; mandir=$$place
absolute UNITDIR "$$given_UNITDIR"; unitdir=$$place
destdir=$$given_DESTDIR given_DESTDIR=
[ -z "$$destdir" ] || { absolute DESTDIR "$$destdir"; destdir=$$place; }
case $$given_PREFIX in /*) ;; *) echo "PREFIX is $$prefix" ;; esac
# What is installed and which directories were made for it, one a line, without DESTDIR.
manifest=$$libdir/ouroboros/manifest
endef

# files COMMAND: calls it with mode, source and destination of each file. A link has no mode, but what it leads to.
define FILES
export LC_ALL=C
files() {
	for tool in $(TOOLS); do "$$1" 755 "$(BUILD)/$$tool" "$$prefix/bin/$$tool"; done
	for daemon in $(DAEMONS); do "$$1" 755 "$(BUILD)/$$daemon" "$$prefix/sbin/$$daemon"; done
	for library in $(LIBRARIES:%=lib%.so) $(COMMON); do
		"$$1" 755 "$(BUILD)/$$library" "$$libdir/$$library.$(VERSION)"
		"$$1" link "$$library.$(VERSION)" "$$libdir/$$library.$(SOVERSION)"
		"$$1" link "$$library.$(SOVERSION)" "$$libdir/$$library"
	done
	for library in $(LIBRARIES); do "$$1" text "pkgconfig/$$library.pc.in" "$$libdir/pkgconfig/$$library.pc"; done
	"$$1" 755 "$(BUILD)/$(OBENCH_SWIFT)" "$$libdir/ouroboros/$(OBENCH_SWIFT)"
	for file in Config ConfigVersion; do
		"$$1" text "pkgconfig/cmake/Ouroboros$$file.cmake.in" "$$libdir/cmake/Ouroboros/Ouroboros$$file.cmake"
	done
	for header in Include/ouroboros/*.h; do "$$1" 644 "$$header" "$$includedir/ouroboros/$${header##*/}"; done
	for page in man/*.[1378]; do
		target=$$mandir/man$${page##*.}/$${page#man/}
		if [ -L "$$page" ]; then "$$1" link "$$(readlink "$$page")" "$$target"; else "$$1" 644 "$$page" "$$target"; fi
	done
	for pair in $(COMPLETIONS); do "$$1" 644 "completions/$${pair%%:*}" "$$prefix/$${pair#*:}"; done
	# A unit that was installed is kept up to date by an upgrade, too.
	if [ '$(SYSTEMD)' = yes ] || grep -qxF -- "$$unitdir/ouroboros.service" "$$destdir$$manifest" 2>/dev/null; then
		"$$1" text systemd/ouroboros.service.in "$$unitdir/ouroboros.service"
	fi
}
endef

# The linker's cache, after a change of libraries in one of its directories on this very system.
define LDCONFIG
PATH=$$PATH:/usr/sbin:/sbin
is_searched() {
	ldconfig -NXv 2>/dev/null | sed -n 's|^\(/[^:]*\):.*|\1|p' | while IFS= read -r directory; do
		[ "$$(realpath -m -- "$$directory")" != "$$(realpath -m -- "$$libdir")" ] || echo yes
	done
}
refresh() { # refresh [WHAT TO DO ABOUT NEW LIBRARIES IN OTHER DIRECTORIES]
	if [ -n "$$destdir" ]; then
		[ -z "$$1" ] || echo "ldconfig was not run, because DESTDIR is set: let the package run it where it is installed."
	elif ! command -v ldconfig >/dev/null; then
		echo "ldconfig was not run: this system has none."
	elif [ -z "$$(is_searched)" ]; then
		[ -z "$$1" ] || echo "$$1"
	elif [ "$$(id -u)" -ne 0 ]; then
		echo "ldconfig was not run, because only root can: run it as root."
	else
		ldconfig || echo "ldconfig failed (status $$?): programs may not find the libraries in $$libdir until it succeeds."
	fi
}
endef

install:
	@umask 022
	$(DIRECTORIES)
	$(FILES)
	$(LDCONFIG)
	# Nothing is changed before all is there, and can be written.
	missing=
	look() { [ "$$1" = link ] || [ -f "$$2" ] || missing="$$missing $$2"; }
	files look
	[ -z "$$missing" ] || refuse "run \"make\" first; missing:$$missing"
	way=$$(realpath -ms --relative-to="$$prefix/bin" "$$libdir")
	grep -aqF "\$$ORIGIN/$$way:" '$(BUILD)/obench' || grep -aqF "\$$ORIGIN/$$way/ouroboros" '$(BUILD)/obench' ||
		refuse "obench was built for another LIBDIR; run \"make LIBDIR=$$libdir PREFIX=$$prefix\" first"
	[ -z '$(STRIP)' ] || command -v strip >/dev/null || refuse "strip is missing (package binutils); STRIP= does without"
	for directory in "$$prefix" "$$libdir" "$$includedir" "$$mandir"; do
		above=$$destdir$$directory
		until [ -e "$${above:-/}" ]; do above=$${above%/*}; done
		[ -d "$${above:-/}" ] || refuse "$$above is not a directory"
		[ -w "$${above:-/}" ] || refuse "no right to write to $${above:-/}; use sudo, or another PREFIX or DESTDIR"
	done

	# The manifest comes first and, until the end, has what was there before, too: what is interrupted can be removed.
	temporary=
	trap '[ -z "$$temporary" ] || rm -f -- "$$temporary"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	made=$$(made_directories() {
		parent=$${3%/*}
		while [ ! -d "$$destdir$$parent/" ]; do
			printf '%s/\n' "$$parent"
			[ -n "$$parent" ] || break
			parent=$${parent%/*}
		done
	}
	files made_directories; made_directories 644 - "$$manifest")
	target() { printf '%s\n' "$$3"; }
	targets=$$(files target; echo "$$manifest")
	old=$$(cat -- "$$destdir$$manifest" 2>/dev/null || :)
	old_directories=$$(printf '%s\n' "$$old" | grep '/$$' || :)
	directories=$$(printf '%s\n%s\n' "$$old_directories" "$$made" | grep . | sort -u || :)
	printf '%s\n' "$$directories" | while IFS= read -r directory; do
		[ -z "$$directory" ] || [ -d "$$destdir$$directory" ] || mkdir -p -m 755 -- "$$destdir$$directory"
	done
	into() { # into TARGET COMMAND...: a program that runs keeps its file, and nobody sees half of one.
		temporary=$$destdir$${1%/*}/.$${1##*/}.new target=$$destdir$$1
		shift
		"$$@" "$$temporary"
		mv -fT -- "$$temporary" "$$target"
		temporary=
	}
	say() { printf '%s\n' "$$1" >"$$2"; chmod 644 -- "$$2"; }
	fill() { text "$$1" >"$$2"; chmod 644 -- "$$2"; }
	escaped() { printf '%s' "$$2" | sed "s/[$$1]/\\\\&/g; s/[\\\\&|]/\\\\&/g"; }
	place() { # place MODE SOURCE TARGET
		case $$1 in
			link) into "$$3" ln -sfn -- "$$2" ;;
			755) case $$2 in *$(COMMON)) into "$$3" install -m 755 -- "$$2" ;; *) into "$$3" install $(STRIP) -m 755 -- "$$2" ;; esac ;;
			644) into "$$3" install -m 644 -- "$$2" ;;
			text) into "$$3" fill "$$2" ;;
		esac
	}
	text() {
		special=
		case $$1 in *.pc.in) special='#' ;; esac
		unit=$$prefix
		case $$1 in *.service.in) unit=$$(printf '%s' "$$prefix" | sed 's/%/%%/g; s/ /\\x20/g') ;; esac
		sed "s|@PREFIX@|$$(escaped "$$special" "$$unit")|; s|@LIBDIR@|$$(escaped "$$special" "$$libdir")|; \
			s|@INCLUDEDIR@|$$(escaped "$$special" "$$includedir")|" "$$1"
	}
	into "$$manifest" say "$$(printf '%s\n' "$$directories" "$$old" "$$targets" | grep . | sort -u)"
	files place
	# What an older version had and this one has not.
	printf '%s\n' "$$old" | grep '^/.*[^/]$$' | { grep -vxF -- "$$targets" || :; } | while IFS= read -r file; do
		rm -f -- "$$destdir$$file"
	done
	into "$$manifest" say "$$(printf '%s\n' "$$directories" "$$targets" | grep . | sort -u)"
	echo "Installed in $$destdir$${prefix:-/}"
	refresh "The linker does not search $$libdir: link with -Wl,-rpath,$$libdir, or add it to /etc/ld.so.conf.d and run ldconfig."
	[ '$(SYSTEMD)' != yes ] || [ -n "$$destdir" ] || echo "Next: systemctl daemon-reload && systemctl enable --now ouroboros"

# Without a manifest, as older versions left none: what this one would install.
uninstall:
	@$(DIRECTORIES)
	$(FILES)
	$(LDCONFIG)
	target() { printf '%s\n' "$$3"; }
	if [ -f "$$destdir$$manifest" ]; then
		listed=$$(cat -- "$$destdir$$manifest")
	else
		listed=$$(files target
			printf '%s\n' "$$unitdir/ouroboros.service" "$$libdir/cmake/Ouroboros/" "$$libdir/ouroboros/" \
				"$$includedir/ouroboros/")
	fi
	found=$$(printf '%s\n' "$$listed" | while IFS= read -r file; do
		[ "$${file%/}" != "$$file" ] || [ ! -e "$$destdir$$file" ] && [ ! -L "$$destdir$$file" ] || echo yes
	done)
	[ -n "$$found" ] || refuse "nothing is installed in $$destdir$${prefix:-/}; what were PREFIX and DESTDIR?"
	printf '%s\n' "$$listed" | grep '^/.*[^/]$$' | while IFS= read -r file; do
		printf '%s\0' "$$destdir$$file" "$$destdir$${file%/*}/.$${file##*/}.new"
	done | xargs -0 rm -f --
	# Directories that install made, the inner ones first. Those in which others have put something stay.
	printf '%s\n' "$$listed" | grep '^/.*/$$\|^/$$' | sort -r | while IFS= read -r directory; do
		rmdir -- "$$destdir$$directory" 2>/dev/null || :
	done
	refresh ''
	echo "Removed from $$destdir$${prefix:-/}"

check:
	./check

bench:
	@$(MAKE) --silent all
	$(MAKE) --silent install PREFIX=.build/bench DESTDIR= SYSTEMD=no
	Benchmarks/run .build/bench
	Benchmarks/python/run .build/bench
	if [ "$$(id -u)" -eq 0 ]; then Benchmarks/udp/run .build/bench 3
	else echo 'Flows between hosts are measured by root alone: they need network namespaces.'; fi

soak:
	Scripts/soak

clean:
	$(SWIFT) package clean

.PHONY: all install uninstall check bench soak clean
