# Thin: every line below could be typed by hand.
#
#   make deps        install what is missing (Debian packages)
#   make build       everything, debug
#   make demo        a whole network on loopback; DEMO="--hops 3 --json" passes options
#   make test        all tests, debug
#   make lint        formatting
#   make help        the rest
#
# DRAY_SANITIZE=1 leaves jemalloc out of the link (sanitizers bring an allocator of their own);
# DRAY_FUZZ=1 adds the fuzzer to the package. Package.swift reads both.

SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: help deps build release demo test test-asan test-tsan bench plot instructions fuzz \
	check-kernels ct abi install install-abi uninstall lint clean

# What `dray --version` says; empty outside a checkout.
export DRAY_COMMIT := $(shell git describe --always --abbrev=12 --dirty=+ --exclude='*' 2>/dev/null)

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
# What `install-abi` installs as libdray; the tests hand in the debug one.
LIBRARY ?= .build/release/libDrayABI.so
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= packet relay ticket message acknowledgement configuration admin-socket ledger-socket \
	vector-file frame link trace-file
# What `make check-kernels` runs for each kernel and row, and KERNELS="--row avx512" and the like.
CASES ?= 1000000
KERNELS ?=
export CT_SAMPLES ?= 20000
# Options for `dray demo`, `dray-bench` and `swift test`.
DEMO ?=
BENCH ?=
TEST ?=

# One release build serves demo, bench and install: the Swift runtime is linked in.
RELEASE := swift build -c release --static-swift-stdlib
SWIFT_TEST := swift test --disable-xctest

# What the build links, what the tests call (two networks by `ip`), and the demo's DNS server and client.
APT := libsodium-dev libssl-dev libsecp256k1-dev liburing-dev liblmdb-dev libjemalloc-dev \
	libtomlplusplus-dev libjansson-dev \
	gcc g++ pkg-config binutils valgrind clang-format-14 dnsmasq-base bind9-dnsutils \
	iproute2

help:
	@sed -n 's/^#   //p' Makefile
	@echo 'make release | bench | plot | instructions | fuzz FUZZ_SECONDS=60 | test-asan | test-tsan | abi | clean'
	@echo 'make check-kernels CASES=1000000 | ct CT_SAMPLES=20000'
	@echo 'make install PREFIX=/usr/local DESTDIR=   dray, dray-bench, libdray, dray.h, dray.pc'

deps:
	@missing=$$(for name in $(APT); do \
	    dpkg-query -W -f='$${db:Status-Status}' $$name 2>/dev/null | grep -qx installed || echo -n "$$name "; \
	done); \
	[ -z "$$missing" ] && exit 0; \
	line="apt-get update && apt-get install -y --no-install-recommends $$missing"; \
	if ! command -v apt-get >/dev/null; then \
	    echo "dray needs these Debian packages, or your system's counterparts: $$missing" >&2; exit 1; \
	elif [ "$$(id -u)" != 0 ]; then \
	    echo "dray needs packages that only root can install. Run this line, then make again:" >&2; \
	    echo "sudo sh -c '$$line'" >&2; exit 1; \
	fi; \
	echo "$$line"; DEBIAN_FRONTEND=noninteractive sh -c "$$line" </dev/null

build: deps
	swift build

release: deps
	$(RELEASE) --product dray
	$(RELEASE) --product dray-bench

demo: deps
	$(RELEASE) --product dray
	.build/release/dray demo $(DEMO)

# Then what stands on the kernels once more, on the portable row.
PORTABLE_TESTS := CryptoTests|SphinxTests|TicketsTests|EngineTests|GatewayTests|ConformTests

test: deps
	$(SWIFT_TEST) $(TEST)
	[ -n "$(TEST)" ] || DRAY_CPU=portable $(SWIFT_TEST) --filter '$(PORTABLE_TESTS)' \
	    --skip DifferentialTests

# Sanitizers keep builds of their own, so that `make test` after them does not start over.
test-asan: deps
	DRAY_SANITIZE=1 LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/lsan.supp:print_suppressions=0 \
	    $(SWIFT_TEST) --sanitize=address --scratch-path .build/asan $(TEST)

test-tsan: deps
	DRAY_SANITIZE=1 TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/tsan.supp:print_suppressions=0 \
	    $(SWIFT_TEST) --sanitize=thread --scratch-path .build/tsan $(TEST)

bench: deps
	$(RELEASE) --product dray-bench
	.build/release/dray-bench $(BENCH)

# Cost of a peeled packet against batch size, and of a ticket against issuers, as pictures. Takes
# 2.6 GB of memory for tables, or fewer tables.
plot: APT += python3-venv
plot: deps
	$(RELEASE) --product dray-bench
	.build/release/dray-bench curve ticket.verify.issuers --json .build/curve.json
	[ -x .build/plot/bin/pip ] || python3 -m venv .build/plot
	.build/plot/bin/pip install --quiet --requirement perf/requirements.txt
	.build/plot/bin/python perf/plot .build/curve.json perf

# Instructions of a peeled packet, portable kernels.
instructions: APT += valgrind
instructions: deps
	$(RELEASE) --product dray-bench
	perf/instructions.sh

# Each target runs FUZZ_SECONDS from its corpus; new inputs go to .build/fuzz/found/TARGET,
# a crash leaves its input in .build/fuzz/crash-*.
fuzz: deps
	DRAY_SANITIZE=1 DRAY_FUZZ=1 swift build --product dray-fuzz --scratch-path .build/fuzz \
	    --sanitize=address -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld \
	    -Xcc -fsanitize=fuzzer-no-link
	@export SWIFT_BACKTRACE=enable=no; \
	for target in $(FUZZ_TARGETS); do \
	    mkdir -p .build/fuzz/found/$$target; \
	    echo "== $$target"; \
	    .build/fuzz/debug/dray-fuzz $$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	        -rss_limit_mb=4096 -artifact_prefix=.build/fuzz/ -print_final_stats=1 \
	        .build/fuzz/found/$$target Tests/Fuzz/Corpus/$$target || exit 1; \
	done

# Every row of kernels against the scalar one, one line each.
check-kernels: deps
	swift build --product kernel-check
	.build/debug/kernel-check --cases $(CASES) $(KERNELS)

# Constant time: no branch, no address and no duration depends on a secret.
ct: deps
	Tests/ConstantTime/run.sh

# The C library with its header and dray.pc, ready under .build/abi:
#   PKG_CONFIG_PATH=.build/abi/lib/pkgconfig gcc relay.c $(pkg-config --cflags --libs dray)
abi: deps
	$(RELEASE) --product DrayABI
	$(MAKE) install-abi PREFIX=$(CURDIR)/.build/abi DESTDIR=

install-abi:
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 755 $(LIBRARY) $(DESTDIR)$(PREFIX)/lib/libdray.so.$(VERSION)
	ln -sf libdray.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/libdray.so.0
	ln -sf libdray.so.0 $(DESTDIR)$(PREFIX)/lib/libdray.so
	install -m 644 CShims/Dray/include/dray.h $(DESTDIR)$(PREFIX)/include/dray.h
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' CShims/Dray/dray.pc.in \
	    > $(DESTDIR)$(PREFIX)/lib/pkgconfig/dray.pc

install: release
	$(RELEASE) --product DrayABI
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 .build/release/dray .build/release/dray-bench $(DESTDIR)$(PREFIX)/bin
	$(MAKE) install-abi

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/dray bin/dray-bench include/dray.h \
	    lib/libdray.so lib/libdray.so.0 lib/libdray.so.$(VERSION) lib/pkgconfig/dray.pc)

lint:
	swift format lint --strict -r Sources Tests Bench Package.swift
	git ls-files 'CShims/*.[ch]' 'CShims/*.cpp' 'Tests/*.[ch]' 'Tests/*.cpp' ':!CShims/Vendor' \
	    | xargs -r clang-format-14 --dry-run -Werror

clean:
	rm -rf .build
