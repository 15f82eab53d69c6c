// The only file that asks the machine what it can do.
#include "common.h"
#include "rows.h"
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__x86_64__)
#define HAVE_AVX512 1
#else
#define HAVE_AVX512 0
#endif

// What a row takes from `from` for one kernel.
#define TAKE(kernel, from) .kernel = from##_##kernel

// The judge. It can be named, for whoever wants to see what the others gain.
static const struct kernels scalar = {
    .name = "scalar",
    TAKE(alpha_step, scalar),
    TAKE(edwards_mul, scalar),
    TAKE(edwards_mul_base, scalar),
    TAKE(edwards_table, scalar),
    TAKE(edwards_mul_table, scalar),
    TAKE(scalar_clamp_reduce, scalar),
    TAKE(scalar_mul, scalar),
    TAKE(derive, scalar),
    TAKE(blake3, scalar),
    TAKE(blake3_keyed, scalar),
    TAKE(header_stream, scalar),
    TAKE(header_mac, scalar),
    TAKE(equal, scalar),
    TAKE(lioness_forward, scalar),
    TAKE(lioness_inverse, scalar),
    TAKE(keccak256, scalar),
    TAKE(keccak_iterate, scalar),
    TAKE(half_keys, scalar),
    TAKE(hash_to_curve, scalar),
    TAKE(secp_mul_base, scalar),
    TAKE(secp_mul_base_add, scalar),
    TAKE(secp_mul, scalar),
    TAKE(secp_add_scalars, scalar),
    TAKE(ecdsa_nonce, scalar),
    TAKE(ecdsa_sign, scalar),
    TAKE(ecdsa_table, scalar),
    TAKE(ecdsa_verify, scalar),
    TAKE(ed25519_sign, scalar),
    TAKE(ed25519_table, scalar),
    TAKE(ed25519_verify, scalar),
    TAKE(sha256, scalar),
    TAKE(sha512, scalar),
};

static const struct kernels portable = {
    .name = "portable",
    TAKE(alpha_step, portable),
    TAKE(edwards_mul, portable),
    TAKE(edwards_mul_base, portable),
    TAKE(edwards_table, portable),
    TAKE(edwards_mul_table, portable),
    TAKE(scalar_clamp_reduce, scalar),
    TAKE(scalar_mul, scalar),
    TAKE(derive, portable),
    TAKE(blake3, portable),
    TAKE(blake3_keyed, portable),
    TAKE(header_stream, scalar),
    TAKE(header_mac, scalar),
    TAKE(equal, scalar),
    TAKE(lioness_forward, scalar),
    TAKE(lioness_inverse, scalar),
    TAKE(keccak256, portable),
    TAKE(keccak_iterate, portable),
    TAKE(half_keys, portable),
    TAKE(hash_to_curve, portable),
    TAKE(secp_mul_base, portable),
    TAKE(secp_mul_base_add, portable),
    TAKE(secp_mul, portable),
    TAKE(secp_add_scalars, scalar),
    TAKE(ecdsa_nonce, portable),
    TAKE(ecdsa_sign, portable),
    TAKE(ecdsa_table, portable),
    TAKE(ecdsa_verify, portable),
    TAKE(ed25519_sign, portable),
    TAKE(ed25519_table, portable),
    TAKE(ed25519_verify, portable),
    TAKE(sha256, scalar),
    TAKE(sha512, portable),
};

#if HAVE_AVX512
static const struct kernels avx512 = {
    .name = "avx512",
    TAKE(alpha_step, avx512),
    TAKE(edwards_mul, avx512),
    TAKE(edwards_mul_base, avx512),
    TAKE(edwards_table, avx512),
    TAKE(edwards_mul_table, avx512),
    TAKE(scalar_clamp_reduce, scalar),
    TAKE(scalar_mul, scalar),
    TAKE(derive, avx512),
    TAKE(blake3, avx512),
    TAKE(blake3_keyed, avx512),
    TAKE(header_stream, avx512),
    TAKE(header_mac, avx512),
    TAKE(equal, avx512),
    TAKE(lioness_forward, avx512),
    TAKE(lioness_inverse, avx512),
    TAKE(keccak256, avx512),
    TAKE(keccak_iterate, avx512),
    TAKE(half_keys, avx512),
    TAKE(hash_to_curve, avx512),
    TAKE(secp_mul_base, avx512),
    TAKE(secp_mul_base_add, avx512),
    TAKE(secp_mul, avx512),
    TAKE(secp_add_scalars, scalar),
    TAKE(ecdsa_nonce, avx512),
    TAKE(ecdsa_sign, avx512),
    TAKE(ecdsa_table, avx512),
    TAKE(ecdsa_verify, avx512),
    TAKE(ed25519_sign, avx512),
    TAKE(ed25519_table, avx512),
    TAKE(ed25519_verify, avx512),
    TAKE(sha256, avx512),
    TAKE(sha512, avx512),
};

static int runs_avx512(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
}
#else
static int runs_avx512(void) { return 0; }
#endif

// Before any row can be asked for: the base point's tables, which rows share.
__attribute__((constructor)) static void tables_make(void) {
#if HAVE_AVX512
    if (runs_avx512()) {
        avx512_secp_prepare();
        return;
    }
#endif
    portable_secp_prepare();
}

static const struct kernels *const rows[] = {
    &scalar,
    &portable,
#if HAVE_AVX512
    &avx512,
#endif
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

// Names that other builds have; here they can be said but not run.
static const char *const everywhere[] = {"scalar", "portable", "avx512"};

static int row_runs(const struct kernels *row) {
    return row == &scalar || row == &portable || runs_avx512();
}

const struct kernels *kernels_row(const char *name) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(name, rows[i]->name) == 0) return row_runs(rows[i]) ? rows[i] : NULL;
    return NULL;
}

enum kernels_status kernels_status_of(const char *name) {
    if (name == NULL || name[0] == 0 || kernels_row(name)) return KERNELS_OK;
    for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++)
        if (strcmp(name, everywhere[i]) == 0) return KERNELS_UNAVAILABLE;
    return KERNELS_UNKNOWN;
}

// The fastest row of this machine.
static const struct kernels *fastest(void) {
#if HAVE_AVX512
    if (runs_avx512()) return &avx512;
#endif
    return &portable;
}

// Threads that race here choose the same; whoever comes last stores the same values again.
static _Atomic(const struct kernels *) chosen;
static _Atomic int chosen_status;

const struct kernels *kernels_best(void) {
    const struct kernels *table = atomic_load_explicit(&chosen, memory_order_acquire);
    if (table) return table;
    // Makes libsodium choose its own rows; where it fails its portable ones serve.
    (void)sodium_init();
    const char *wish = getenv("DRAY_CPU");
    enum kernels_status status = kernels_status_of(wish);
    if (status != KERNELS_OK)
        table = &portable;
    else if (wish != NULL && wish[0] != 0)
        table = kernels_row(wish);
    else
        table = fastest();
    atomic_store_explicit(&chosen_status, (int)status, memory_order_relaxed);
    atomic_store_explicit(&chosen, table, memory_order_release);
    return table;
}

const struct kernels *kernels_use(const char *name) {
    // Whoever asked first has also made libsodium ready.
    (void)kernels_best();
    const struct kernels *table = kernels_row(name);
    if (table) atomic_store_explicit(&chosen, table, memory_order_release);
    return table;
}

enum kernels_status kernels_status(void) {
    (void)kernels_best();
    return (enum kernels_status)atomic_load_explicit(&chosen_status, memory_order_relaxed);
}
