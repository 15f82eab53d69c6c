#!/usr/bin/env bash
# What `make ct` runs: the kernels' constant time, three ways. README.md explains.
# CT_SAMPLES: how many times the timing is taken for each kernel.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Swift's own clang: what the package is built with.
CC=${CT_CC:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
here=Tests/ConstantTime out=.build/ct
mkdir -p $out
mapfile -t kernels < <(find CShims/Kernels -name '*.c' | sort)
common=("${kernels[@]}" Tests/KernelProbe/{calls,inputs,signatures,edwards_signatures}.c)
flags=(-std=gnu17 -fno-math-errno -fvisibility=hidden -Wall -Wextra -Werror
    -ICShims/Kernels/include)
readable=(-gdwarf-4 -fno-omit-frame-pointer -DDRAY_TAINT)
taint=("${common[@]}" $here/{secret,leaks,vector,taint}.c)

build() { # name, then what differs
    "$CC" "${flags[@]}" "${@:2}" -lsodium -lsecp256k1 -lm -o "$out/$1"
}

# The checker finds what leaks, and nothing where nothing does.
must_leak() { # command...
    for leak in branch index borrow vector; do
        if "$@" leak $leak >"$out/leak.log" 2>&1; then
            echo "$1: a leak by $leak was not found" >&2; exit 1
        fi
    done
    "$@" leak none
}

for level in -O2 -O3; do
    echo "== MemorySanitizer, $level"
    build msan$level $level "${readable[@]}" -fsanitize=memory -fno-sanitize-memory-param-retval \
        -include $here/instructions.h "${taint[@]}"
    must_leak $out/msan$level
    $out/msan$level portable avx512
done

# Valgrind's processor has no AVX-512.
for level in -O2 -O3; do
    echo "== memcheck, $level"
    build memcheck$level $level "${readable[@]}" "${taint[@]}"
    memcheck=(valgrind -q --error-exitcode=99 --suppressions=$here/memcheck.supp)
    must_leak "${memcheck[@]}" $out/memcheck$level
    "${memcheck[@]}" $out/memcheck$level scalar portable
done

if [ "$(uname -m)" = x86_64 ]; then
    echo "== timing"
    build timing -O3 "${common[@]}" $here/timing.c
    $out/timing "${CT_SAMPLES:-20000}"
fi
