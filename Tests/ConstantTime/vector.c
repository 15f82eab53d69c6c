// The words of the AVX-512 lanes as the checker sees them: what goes in secret must come out
// secret, and no word may look like a leak.
#include "secret.h"
#if defined(__x86_64__)
#if __has_feature(memory_sanitizer)
#include "instructions.h"
#endif
#include "../../CShims/Kernels/lanes/avx512.h"

TARGET static vec compute(vec a, vec b) {
    column sums[4] = {column_of(a), column_of(b), column_of(a), column_of(b)};
    column_add_product(sums, a, b);
    column_add_product(sums + 1, b, b);
    columns_double(sums, 0, 2);
    vec out[4];
    columns_settle(sums, 4, out);
    vec mixed = vec_select(vec_zero_mask(out[0]), out[1], vec_sub(out[2], out[3]));
    mixed = vec_select(vec_equal_mask(a, 3), mixed, vec_or(vec_shl(mixed, 3), vec_shr(b, 5)));
    mixed = vec32_add(vec32_rol(mixed, 7), vec32_xor(a, b));
    mixed = vec_xor(vec_andnot(a, mixed), vec_rol(vec_and(mixed, b), 9));
    mixed = vec_choose(vec_swap_bytes(mixed), vec_majority(a, b, mixed), vec_xor3(mixed, a, b));
    mixed = vec32_choose(vec32_swap_bytes(mixed), vec32_majority(a, b, mixed), vec32_and(mixed, a));
    mixed = vec32_add(vec32_mask_of(vec32_shr(mixed, 31)), vec32_or(vec32_shl(mixed, 3), b));
    return vec32_xor3(mixed, a, b);
}

TARGET static void run(uint8_t *in, uint8_t *out) {
    const uint8_t *from[LANES];
    uint8_t *to[LANES];
    for (int i = 0; i < LANES; i++) from[i] = in + 24 * i, to[i] = out + 8 * i;
    vec a = vec_load(from, 0), b = vec_load(from, 8);
    vec_store(to, 0, compute(vec_factor(a), b));
}

TARGET static uint64_t run_leaky(uint8_t *in) {
    const uint8_t *from[LANES];
    for (int i = 0; i < LANES; i++) from[i] = in + 24 * i;
    return vec_zero_mask(vec_load(from, 0)) == LANES_ALL ? 3 : 4;
}

static int is_here(void) {
    return __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi");
}
#else
static void run(uint8_t *in, uint8_t *out) { (void)in, (void)out; }
static uint64_t run_leaky(uint8_t *in) { return in[0]; }
static int is_here(void) { return 0; }
#endif

int vector_is_followed(void) {
    uint8_t in[256] = {1, 2, 3}, out[64] = {0};
    if (!is_here()) return 1;
    secret(in, sizeof in);
    run(in, out);
    return is_secret(out, sizeof out);
}

uint64_t leak_by_vector(const uint8_t *key, size_t bytes) {
    uint8_t in[256] = {0};
    memcpy(in, key, bytes);
    static volatile uint64_t visits;
    if (!is_here()) return leak_by_branch(key, bytes);
    if (run_leaky(in) == 3) visits++;
    return visits;
}
