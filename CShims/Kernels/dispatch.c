// The only file that asks the machine what it can do.
#include "common.h"
#include "scalar.h"
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

static const struct kernels portable = {
    .name = "portable",
    .alpha_step = scalar_alpha_step,
    .edwards_mul = scalar_edwards_mul,
    .edwards_mul_base = scalar_edwards_mul_base,
    .scalar_clamp_reduce = scalar_sc_clamp_reduce,
    .scalar_mul = scalar_sc_mul,
    .derive = scalar_derive,
    .blake3 = scalar_blake3,
    .blake3_keyed = scalar_blake3_keyed,
    .header_stream = scalar_header_stream,
    .header_mac = scalar_header_mac,
    .equal = scalar_equal,
    .lioness_forward = scalar_lioness_forward,
    .lioness_inverse = scalar_lioness_inverse,
    .keccak256 = scalar_keccak256,
    .keccak_iterate = scalar_keccak_iterate,
    .half_keys = scalar_half_keys,
    .hash_to_curve = scalar_hash_to_curve,
};

// Rows that other builds have; here they can be named but not run.
static const char *const missing[] = {"avx512"};

struct choice {
    const struct kernels *table;
    enum kernels_status status;
};

static struct choice choose(void) {
    const char *wanted = getenv("DRAY_CPU");
    if (wanted == NULL || wanted[0] == 0 || strcmp(wanted, portable.name) == 0)
        return (struct choice){&portable, KERNELS_OK};
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
        if (strcmp(wanted, missing[i]) == 0) return (struct choice){&portable, KERNELS_UNAVAILABLE};
    return (struct choice){&portable, KERNELS_UNKNOWN};
}

// Threads that race here choose the same; whoever comes last stores the same
// values again.
static _Atomic(const struct kernels *) chosen;
static _Atomic int chosen_status;

const struct kernels *kernels_best(void) {
    const struct kernels *table = atomic_load_explicit(&chosen, memory_order_acquire);
    if (table) return table;
    struct choice choice = choose();
    atomic_store_explicit(&chosen_status, (int)choice.status, memory_order_relaxed);
    atomic_store_explicit(&chosen, choice.table, memory_order_release);
    return choice.table;
}

enum kernels_status kernels_status(void) {
    (void)kernels_best();
    return (enum kernels_status)atomic_load_explicit(&chosen_status, memory_order_relaxed);
}
