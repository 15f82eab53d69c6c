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

enum kernels_status kernels_status_of(const char *name) {
    if (name == NULL || name[0] == 0 || strcmp(name, portable.name) == 0) return KERNELS_OK;
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
        if (strcmp(name, missing[i]) == 0) return KERNELS_UNAVAILABLE;
    return KERNELS_UNKNOWN;
}

// Threads that race here choose the same; whoever comes last stores the same values again.
static _Atomic(const struct kernels *) chosen;
static _Atomic int chosen_status;

const struct kernels *kernels_best(void) {
    const struct kernels *table = atomic_load_explicit(&chosen, memory_order_acquire);
    if (table) return table;
    // Makes libsodium choose its own rows; where it fails its portable ones serve.
    (void)sodium_init();
    enum kernels_status status = kernels_status_of(getenv("DRAY_CPU"));
    atomic_store_explicit(&chosen_status, (int)status, memory_order_relaxed);
    atomic_store_explicit(&chosen, &portable, memory_order_release);
    return &portable;
}

enum kernels_status kernels_status(void) {
    (void)kernels_best();
    return (enum kernels_status)atomic_load_explicit(&chosen_status, memory_order_relaxed);
}
