#!/bin/bash
# Instructions per peeled packet on the portable row, counted by callgrind. `make instructions`.
#
# Unlike time, the count is the same on every run, to ten instructions or so.
# Each case is called a few times and then some times more; the difference is the calls' own, without
# what setting up costs. The portable row, because valgrind does not know AVX-512; libsodium chooses
# its own rows, AVX2 among them, by what valgrind says it can run.
set -euo pipefail
cd "$(dirname "$0")/.."

# valgrind cannot read the linker's debug information.
plain=.build/dray-bench-plain
strip -g -o "$plain" .build/release/dray-bench

# count CASE CALLS: instructions of the whole program.
count() {
    local log
    log=$(DRAY_CPU=portable SWIFT_DETERMINISTIC_HASHING=1 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$plain" "$1" --calls "$2" 2>&1) || { echo "$log" >&2; return 1; }
    sed -n 's/.*Collected : //p' <<<"$log"
}

# report CASE PACKETS: of one packet, where a call of the case takes so many.
report() {
    local few many
    few=$(count "$1" 2)
    many=$(count "$1" 6)
    printf '%-24s %8d instructions a packet, %d a batch\n' "$1" $(((many - few) / (4 * $2))) "$2"
}

report curve.peel.portable.64 64
report peel.whole.portable1 1
report peel.alpha.portable 64
