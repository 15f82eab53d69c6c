// The lane vocabulary in C: one lane, so that a batch costs what its live lanes cost.
// `avx512.h` says what the words mean.
#pragma once
#include "../common.h"

#define TARGET
#define INLINE  static inline __attribute__((always_inline))
#define ROUTINE static __attribute__((noinline, unused))

// -- 64-bit lanes

#define LANES         1
#define WORD_PRODUCTS 1
#define LANES_ALL     (~(mask)0)
typedef uint64_t vec;
typedef uint64_t mask; // all ones or zero

#define LOW52 (((uint64_t)1 << 52) - 1)

INLINE vec vec_set(uint64_t x) { return x; }
INLINE vec vec_add(vec a, vec b) { return a + b; }
INLINE vec vec_sub(vec a, vec b) { return a - b; }
INLINE vec vec_and(vec a, vec b) { return a & b; }
INLINE vec vec_or(vec a, vec b) { return a | b; }
INLINE vec vec_xor(vec a, vec b) { return a ^ b; }
INLINE vec vec_andnot(vec a, vec b) { return ~a & b; }
INLINE vec vec_xor3(vec a, vec b, vec c) { return a ^ b ^ c; }
INLINE vec vec_choose(vec a, vec b, vec c) { return c ^ (a & (b ^ c)); }
INLINE vec vec_majority(vec a, vec b, vec c) { return (a & b) | (c & (a | b)); }
#define vec_shl(a, n) ((vec)(a) << (n))
#define vec_shr(a, n) ((vec)(a) >> (n))
INLINE vec vec_funnel(vec low, vec high, int n) { return low >> n | high << (64 - n); }
INLINE vec vec_rol(vec a, int n) { return n == 0 ? a : a << n | a >> (64 - n); }
INLINE uint64_t mask_lanes(mask m) { return m & 1; }
INLINE vec vec_select(mask m, vec a, vec b) { return b ^ (m & (a ^ b)); }
// The bit is 1 exactly if a is 0: then neither a nor -a has its highest bit set.
INLINE mask vec_zero_mask(vec a) { return mask_of(1 ^ (barrier(a) | (0 - barrier(a))) >> 63); }
INLINE mask vec_bit_mask(vec a, uint64_t bit) { return ~vec_zero_mask(a & bit); }
INLINE mask vec_equal_mask(vec a, uint64_t b) { return vec_zero_mask(a ^ b); }
INLINE mask mask_from(uint64_t lanes) { return mask_of(lanes & 1); }
INLINE vec vec_times(vec a, uint64_t b) { return a * b; } // below 2^64
INLINE vec vec_swap_bytes(vec a) { return __builtin_bswap64(a); }
INLINE uint64_t vec_first(vec a) { return a; }
INLINE vec vec_spread(uint64_t x) { return x; }
INLINE vec vec_exchange(vec a, int distance) { return (void)distance, a; }
INLINE vec vec_factor(vec a) { return a & LOW52; }
#define vec_claim(a, most) (a)

typedef unsigned __int128 column;
INLINE column column_of(vec a) { return a; }
INLINE void column_add_product(column *at, vec a, vec b) { at[0] += (column)a * b; }
INLINE void columns_double(column *c, int from, int to) {
    for (int k = from; k < to; k++) c[k] += c[k];
}
INLINE column columns_carry(column carry, const column *c, int count, vec *out) {
    for (int k = 0; k < count; k++) {
        carry += c[k];
        out[k] = (vec)carry & LOW52;
        carry >>= 52;
    }
    return carry;
}
// Two chains that do not wait for each other: the middle column gives to the upper half at once,
// and takes from the lower one below 2^56 that stay.
INLINE void columns_settle(const column *c, int count, vec *out) {
    int middle = count / 2 - 1;
    (void)columns_carry(c[middle] >> 52, c + middle + 1, count - middle - 1, out + middle + 1);
    out[middle] = (vec)c[middle] & LOW52;
    out[middle] += (vec)columns_carry(0, c, middle, out);
}
INLINE void vecs_hold(vec v[5]) { (void)v; }
INLINE vec vec_add_low(vec c, vec a, vec b) {
    return c + ((vec)((column)(a & LOW52) * (b & LOW52)) & LOW52);
}
INLINE vec vec_add_high(vec c, vec a, vec b) {
    return c + (vec)((column)(a & LOW52) * (b & LOW52) >> 52);
}

INLINE vec vec_load(const uint8_t *const at[LANES], size_t offset) {
    return load64(at[0] + offset);
}
INLINE void vec_store(uint8_t *const at[LANES], size_t offset, vec a) {
    store64(at[0] + offset, a);
}
#define PICKS 32
struct pick {
    mask is[PICKS];
};
INLINE struct pick pick_of(vec index) {
    struct pick out;
    mask low[8], high[PICKS / 8];
    for (uint64_t i = 0; i < 8; i++) low[i] = vec_equal_mask(index % 8, i);
    for (uint64_t i = 0; i < PICKS / 8; i++) high[i] = vec_equal_mask(index / 8, i);
    for (int i = 0; i < PICKS; i++) out.is[i] = low[i % 8] & high[i / 8];
    return out;
}
INLINE vec vec_pick(const uint64_t word[PICKS], const struct pick *pick) {
    vec out = 0;
    for (int i = 0; i < PICKS; i++) out |= word[i] & pick->is[i];
    return out;
}
INLINE void vec_load_half(const uint8_t *const at[LANES], size_t offset, vec words[4]) {
    for (size_t k = 0; k < 4; k++) words[k] = load64(at[0] + offset + 8 * k);
}
INLINE void vec_load_block(const uint8_t *const at[LANES], size_t offset, size_t bytes,
                           vec words[8]) {
    for (size_t k = 0; k < 8; k++) {
        words[k] = 0;
        if (8 * k + 8 <= bytes)
            words[k] = load64(at[0] + offset + 8 * k);
        else
            for (size_t i = 8 * k; i < bytes; i++)
                words[k] |= (vec)at[0][offset + i] << (8 * (i % 8));
    }
}
INLINE void vec_store_block(uint8_t *const at[LANES], size_t offset, size_t bytes,
                            const vec words[8]) {
    for (size_t k = 0; k < 8; k++) {
        if (8 * k + 8 <= bytes)
            store64(at[0] + offset + 8 * k, words[k]);
        else
            for (size_t i = 8 * k; i < bytes; i++)
                at[0][offset + i] = (uint8_t)(words[k] >> (8 * (i % 8)));
    }
}

// -- 32-bit lanes

#define LANES32 1
typedef uint32_t vec32;

INLINE vec32 vec32_set(uint32_t x) { return x; }
INLINE vec32 vec32_add(vec32 a, vec32 b) { return a + b; }
INLINE vec32 vec32_xor(vec32 a, vec32 b) { return a ^ b; }
INLINE vec32 vec32_and(vec32 a, vec32 b) { return a & b; }
INLINE vec32 vec32_or(vec32 a, vec32 b) { return a | b; }
INLINE vec32 vec32_xor3(vec32 a, vec32 b, vec32 c) { return a ^ b ^ c; }
INLINE vec32 vec32_choose(vec32 a, vec32 b, vec32 c) { return c ^ (a & (b ^ c)); }
INLINE vec32 vec32_majority(vec32 a, vec32 b, vec32 c) { return (a & b) | (c & (a | b)); }
INLINE vec32 vec32_shl(vec32 a, int n) { return a << n; }
INLINE vec32 vec32_shr(vec32 a, int n) { return a >> n; }
INLINE vec32 vec32_mask_of(vec32 bit) { return (vec32)mask_of(bit); }
INLINE uint64_t vec32_equal_lanes(vec32 a, uint32_t b) { return vec_zero_mask(a ^ b) & 1; }
INLINE vec32 vec32_swap_bytes(vec32 a) { return __builtin_bswap32(a); }
INLINE vec32 vec32_rol(vec32 a, int n) { return a << n | a >> (32 - n); }

// -- Blocks

INLINE void words_of(const uint8_t block[64], vec32 words[16]) {
    for (int i = 0; i < 16; i++) words[i] = load32(block + 4 * i);
}
INLINE void vec32_load_block(uint8_t *const at[LANES32], size_t offset, size_t bytes,
                             vec32 words[16]) {
    if (bytes == 64) {
        words_of(at[0] + offset, words);
        return;
    }
    uint8_t block[64] = {0};
    if (bytes > 0) memcpy(block, at[0] + offset, bytes);
    words_of(block, words);
}
INLINE void vec32_load_joined(uint8_t *const first[LANES32], size_t first_bytes,
                              uint8_t *const second[LANES32], size_t offset, size_t bytes,
                              vec32 words[16]) {
    if (offset >= first_bytes) {
        vec32_load_block(second, offset - first_bytes, bytes, words);
        return;
    }
    uint8_t block[64] = {0};
    size_t left = first_bytes - offset < bytes ? first_bytes - offset : bytes;
    memcpy(block, first[0] + offset, left);
    if (bytes > left) memcpy(block + left, second[0], bytes - left);
    words_of(block, words);
}
INLINE void vec32_store_block(uint8_t *const at[LANES32], int lanes, size_t offset, size_t bytes,
                              const vec32 words[16]) {
    (void)lanes;
    uint8_t block[64];
    for (int i = 0; i < 16; i++) store32(block + 4 * i, words[i]);
    memcpy(at[0] + offset, block, bytes);
}
INLINE void vec32_xor_block(uint8_t *const in[LANES32], size_t in_bytes,
                            uint8_t *const out[LANES32], int lanes, size_t offset, size_t bytes,
                            const vec32 words[16]) {
    vec32 under[16];
    vec32_load_block(in, offset, in_bytes, under);
    for (int i = 0; i < 16; i++) under[i] ^= words[i];
    vec32_store_block(out, lanes, offset, bytes, under);
}
// One lane's block holds its own words, turned or not.
INLINE void vec32_store_turned(uint8_t *const at[LANES32], size_t offset, const vec32 words[16]) {
    vec32_store_block(at, LANES32, offset, 64, words);
}
INLINE void vec32_load_turned(uint8_t *const at[LANES32], size_t offset, vec32 words[16]) {
    words_of(at[0] + offset, words);
}
INLINE void vec32_xor_turned(uint8_t *const at[LANES32], size_t offset, const vec32 mask[16],
                             vec32 words[16]) {
    vec32_load_turned(at, offset, words);
    for (int i = 0; i < 16; i++) words[i] ^= mask[i];
    vec32_store_turned(at, offset, words);
}
