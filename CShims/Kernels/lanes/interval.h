// The lane vocabulary over intervals: a lane holds the least and the greatest value that it could
// have, for every input. Running a kernel over it visits each of its operations, and
// interval_fault() is called where a sum could pass 2^64 or a difference could fall below zero.
// `avx512.h` says what the words mean.
#pragma once
#include "../common.h"

#define TARGET
#define INLINE  static inline __attribute__((unused))
#define ROUTINE static __attribute__((unused))

#define LANES 1
#if !defined(WORD_PRODUCTS) // both forms are proven
#define WORD_PRODUCTS 0
#endif
#define LANES_ALL 1
typedef struct {
    uint64_t least, most;
} vec;
typedef uint8_t mask; // always "either": a select takes both sides

#define LOW52 (((uint64_t)1 << 52) - 1)

// Defined beside the interval kernels: counts faults; CryptoTests wants none.
void interval_fault(const char *what);

INLINE vec vec_bounds(uint64_t least, uint64_t most) { return (vec){least, most}; }
INLINE vec vec_set(uint64_t x) { return vec_bounds(x, x); }
INLINE vec vec_add(vec a, vec b) {
    if (a.most > UINT64_MAX - b.most) interval_fault("sum");
    return vec_bounds(a.least + b.least, a.most + b.most);
}
INLINE vec vec_sub(vec a, vec b) {
    if (a.least < b.most) interval_fault("difference");
    return vec_bounds(a.least - b.most, a.most - b.least);
}
INLINE vec vec_claim(vec a, uint64_t most) {
    if (a.most > most) interval_fault("claim");
    return a;
}
// The least number of ones that covers x.
INLINE uint64_t ones_over(uint64_t x) { return x == 0 ? 0 : UINT64_MAX >> __builtin_clzll(x); }
INLINE vec vec_and(vec a, vec b) {
    if (a.least == a.most && b.least == b.most) return vec_set(a.most & b.most);
    // Under a mask of low ones, a value that fits stays what it is.
    if (b.least == b.most && ones_over(b.most) == b.most && a.most <= b.most) return a;
    uint64_t most = a.most < b.most ? a.most : b.most;
    return vec_bounds(0, most);
}
INLINE vec vec_or(vec a, vec b) {
    uint64_t least = a.least > b.least ? a.least : b.least;
    return vec_bounds(least, ones_over(a.most | b.most));
}
INLINE vec vec_xor(vec a, vec b) { return vec_bounds(0, ones_over(a.most | b.most)); }
INLINE vec vec_andnot(vec a, vec b) { return (void)a, vec_bounds(0, ones_over(b.most)); }
INLINE vec vec_xor3(vec a, vec b, vec c) { return vec_xor(vec_xor(a, b), c); }
INLINE vec vec_choose(vec a, vec b, vec c) {
    return (void)a, vec_bounds(0, ones_over(b.most | c.most));
}
INLINE vec vec_majority(vec a, vec b, vec c) {
    return vec_bounds(0, ones_over((a.most & (b.most | c.most)) | (b.most & c.most)));
}
// Bits that are shifted out are lost on purpose (words are taken apart so).
INLINE vec vec_shl(vec a, int n) {
    if (n > 0 && a.most >> (64 - n) != 0) return vec_bounds(0, UINT64_MAX << n);
    return vec_bounds(a.least << n, a.most << n);
}
INLINE vec vec_shr(vec a, int n) { return vec_bounds(a.least >> n, a.most >> n); }
INLINE vec vec_funnel(vec low, vec high, int n) {
    return vec_or(vec_shr(low, n), vec_shl(high, 64 - n));
}
INLINE vec vec_rol(vec a, int n) { return (void)a, (void)n, vec_bounds(0, UINT64_MAX); }
INLINE uint64_t mask_lanes(mask m) { return m; }
INLINE vec vec_select(mask m, vec a, vec b) {
    (void)m;
    return vec_bounds(a.least < b.least ? a.least : b.least, a.most > b.most ? a.most : b.most);
}
INLINE mask vec_zero_mask(vec a) { return (void)a, 0; }
INLINE mask vec_bit_mask(vec a, uint64_t bit) { return (void)a, (void)bit, 0; }
INLINE mask vec_equal_mask(vec a, uint64_t b) { return (void)a, (void)b, 0; }
INLINE mask mask_from(uint64_t lanes) { return (void)lanes, 0; }
INLINE vec vec_times(vec a, uint64_t b) {
    if (a.most > UINT64_MAX / b) interval_fault("product");
    return vec_bounds(a.least * b, a.most * b);
}
INLINE vec vec_swap_bytes(vec a) { return (void)a, vec_bounds(0, UINT64_MAX); }
// What is computed outside the lanes may be anything.
INLINE uint64_t vec_first(vec a) { return a.most; }
INLINE vec vec_spread(uint64_t x) { return (void)x, vec_bounds(0, UINT64_MAX); }
INLINE vec vec_exchange(vec a, int distance) { return (void)distance, a; }
INLINE vec vec_factor(vec a) { return a; }
// What a factor can be: modulo 2^52 if it has more bits.
INLINE vec factor_bounds(vec a) { return a.most <= LOW52 ? a : vec_bounds(0, LOW52); }

typedef vec column;
INLINE void vecs_hold(vec v[5]) { (void)v; }
INLINE vec vec_add_low(vec c, vec a, vec b) {
    a = factor_bounds(a), b = factor_bounds(b);
    unsigned __int128 most = (unsigned __int128)a.most * b.most;
    return vec_add(c, vec_bounds(0, most < LOW52 ? (uint64_t)most : LOW52));
}
INLINE vec vec_add_high(vec c, vec a, vec b) {
    a = factor_bounds(a), b = factor_bounds(b);
    return vec_add(c, vec_bounds(0, (uint64_t)((unsigned __int128)a.most * b.most >> 52)));
}
INLINE column column_of(vec a) { return a; }
INLINE void column_add_product(column *at, vec a, vec b) {
    at[0] = vec_add_low(at[0], a, b);
    at[1] = vec_add_high(at[1], a, b);
}
INLINE void columns_double(column *c, int from, int to) {
    for (int k = from; k < to; k++) c[k] = vec_add(c[k], c[k]);
}
INLINE void columns_settle(const column *c, int count, vec *out) {
    for (int k = 0; k < count; k++) out[k] = c[k];
}

INLINE vec vec_load(const uint8_t *const at[LANES], size_t offset) {
    return (void)at, (void)offset, vec_bounds(0, UINT64_MAX);
}
INLINE void vec_store(uint8_t *const at[LANES], size_t offset, vec a) {
    (void)at, (void)offset, (void)a;
}
#define PICKS 32
struct pick {
    vec index;
};
INLINE struct pick pick_of(vec index) { return (struct pick){index}; }
INLINE vec vec_pick(const uint64_t word[PICKS], const struct pick *pick) {
    vec out = vec_set(word[0]);
    (void)pick;
    for (int i = 1; i < PICKS; i++) out = vec_select(0, out, vec_set(word[i]));
    return out;
}
INLINE void vec_load_half(const uint8_t *const at[LANES], size_t offset, vec words[4]) {
    (void)at, (void)offset;
    for (int k = 0; k < 4; k++) words[k] = vec_bounds(0, UINT64_MAX);
}
INLINE void vec_load_block(const uint8_t *const at[LANES], size_t offset, size_t bytes,
                           vec words[8]) {
    (void)at, (void)offset, (void)bytes;
    for (int k = 0; k < 8; k++) words[k] = vec_bounds(0, UINT64_MAX);
}
INLINE void vec_store_block(uint8_t *const at[LANES], size_t offset, size_t bytes,
                            const vec words[8]) {
    (void)at, (void)offset, (void)bytes, (void)words;
}
