// The field of p = 2^256 - 2^32 - 977, four limbs of 64 bits, little-endian.
// Constant time. Every value is below 2^256 and not always reduced; every
// function takes and returns such values.
#pragma once
#include "../common.h"

typedef unsigned __int128 wide;

struct fp {
    uint64_t v[4];
};

struct fp fp_add(const struct fp *a, const struct fp *b);
struct fp fp_sub(const struct fp *a, const struct fp *b);
struct fp fp_mul(const struct fp *a, const struct fp *b);
static inline struct fp fp_square(const struct fp *a) { return fp_mul(a, a); }

// Sets a to b where mask is all ones, leaves it where mask is zero.
static inline void fp_move(struct fp *a, const struct fp *b, uint64_t mask) {
    for (int i = 0; i < 4; i++) a->v[i] ^= mask & (a->v[i] ^ b->v[i]);
}

// a^((p - 3) / 4)
struct fp fp_root_power(const struct fp *a);
// a^(p - 2): the inverse, and 0 for 0.
struct fp fp_invert(const struct fp *a);
// The value below p.
struct fp fp_reduce(const struct fp *a);
// All ones if a = b mod p, else zero.
uint64_t fp_equal(const struct fp *a, const struct fp *b);
// 48 bytes big-endian, modulo p.
struct fp fp_load48(const uint8_t in[48]);
// The value below p, 32 bytes big-endian.
void fp_store(uint8_t out[32], const struct fp *a);
