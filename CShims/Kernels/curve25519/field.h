// The field of 2^255 - 19, five limbs of 51 bits. Everything is constant time.
//
// Values are lists of limbs, not reduced. Two sizes matter:
//   tight: limbs < 2^51 + 2^13, what a product is
//   loose: limbs < 2^54, what a product accepts
// A comment gives the size of every other result.
#pragma once
#include "../common.h"

typedef unsigned __int128 wide;

struct fe {
    uint64_t v[5];
};

#define FE_MASK (((uint64_t)1 << 51) - 1)

static inline struct fe fe_small(uint64_t value) { return (struct fe){{value, 0, 0, 0, 0}}; }

// Tight in: below 2^52 + 2^14.
static inline struct fe fe_add(const struct fe *a, const struct fe *b) {
    struct fe out;
    for (int i = 0; i < 5; i++) out.v[i] = a->v[i] + b->v[i];
    return out;
}

// a - b with b tight: adds 2p, so below a + 2^52.
static inline struct fe fe_sub(const struct fe *a, const struct fe *b) {
    struct fe out;
    out.v[0] = a->v[0] + 0xfffffffffffda - b->v[0];
    for (int i = 1; i < 5; i++) out.v[i] = a->v[i] + 0xffffffffffffe - b->v[i];
    return out;
}

// a - b with limbs of b < 2^53 - 76: adds 4p, so below a + 2^53.
static inline struct fe fe_sub_loose(const struct fe *a, const struct fe *b) {
    struct fe out;
    out.v[0] = a->v[0] + 0x1fffffffffffb4 - b->v[0];
    for (int i = 1; i < 5; i++) out.v[i] = a->v[i] + 0x1ffffffffffffc - b->v[i];
    return out;
}

// Columns of a product to tight limbs. Each column is below 5 * 2^54 * 19 *
// 2^54 < 2^115, so what leaves it is below 2^64; the last column has no factor
// 19, so 19 times what leaves it fits too.
static inline struct fe fe_carry(wide r0, wide r1, wide r2, wide r3, wide r4) {
    struct fe out;
    r1 += (uint64_t)(r0 >> 51);
    r2 += (uint64_t)(r1 >> 51);
    r3 += (uint64_t)(r2 >> 51);
    r4 += (uint64_t)(r3 >> 51);
    uint64_t low = ((uint64_t)r0 & FE_MASK) + 19 * (uint64_t)(r4 >> 51);
    out.v[0] = low & FE_MASK;
    out.v[1] = ((uint64_t)r1 & FE_MASK) + (low >> 51);
    out.v[2] = (uint64_t)r2 & FE_MASK;
    out.v[3] = (uint64_t)r3 & FE_MASK;
    out.v[4] = (uint64_t)r4 & FE_MASK;
    return out;
}

// Loose in, tight out.
static inline struct fe fe_mul(const struct fe *a, const struct fe *b) {
    uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    uint64_t b0 = b->v[0], b1 = b->v[1], b2 = b->v[2], b3 = b->v[3], b4 = b->v[4];
    uint64_t c1 = 19 * b1, c2 = 19 * b2, c3 = 19 * b3, c4 = 19 * b4;

    wide r0 = (wide)a0 * b0 + (wide)a1 * c4 + (wide)a2 * c3 + (wide)a3 * c2 + (wide)a4 * c1;
    wide r1 = (wide)a0 * b1 + (wide)a1 * b0 + (wide)a2 * c4 + (wide)a3 * c3 + (wide)a4 * c2;
    wide r2 = (wide)a0 * b2 + (wide)a1 * b1 + (wide)a2 * b0 + (wide)a3 * c4 + (wide)a4 * c3;
    wide r3 = (wide)a0 * b3 + (wide)a1 * b2 + (wide)a2 * b1 + (wide)a3 * b0 + (wide)a4 * c4;
    wide r4 = (wide)a0 * b4 + (wide)a1 * b3 + (wide)a2 * b2 + (wide)a3 * b1 + (wide)a4 * b0;

    return fe_carry(r0, r1, r2, r3, r4);
}

// Loose in, tight out.
static inline struct fe fe_square(const struct fe *a) {
    uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    uint64_t d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2, c3 = 19 * a3, c4 = 19 * a4;

    wide r0 = (wide)a0 * a0 + (wide)d1 * c4 + (wide)d2 * c3;
    wide r1 = (wide)d0 * a1 + (wide)d2 * c4 + (wide)a3 * c3;
    wide r2 = (wide)d0 * a2 + (wide)a1 * a1 + (wide)(2 * a3) * c4;
    wide r3 = (wide)d0 * a3 + (wide)d1 * a2 + (wide)a4 * c4;
    wide r4 = (wide)d0 * a4 + (wide)d1 * a3 + (wide)a2 * a2;

    return fe_carry(r0, r1, r2, r3, r4);
}

// Sets a to b where mask is all ones, leaves it where mask is zero.
static inline void fe_move(struct fe *a, const struct fe *b, uint64_t mask) {
    for (int i = 0; i < 5; i++) a->v[i] ^= mask & (a->v[i] ^ b->v[i]);
}

// -a, tight in, below 2^52.
static inline struct fe fe_negate(const struct fe *a) {
    struct fe zero = fe_small(0);
    return fe_sub(&zero, a);
}

// a squared `count` times.
struct fe fe_square_times(const struct fe *a, int count);
// a^(2^252 - 3): the square-root power.
struct fe fe_root_power(const struct fe *a);
// a^(p - 2): the inverse, and 0 for 0.
struct fe fe_invert(const struct fe *a);

// Takes the low 255 bits, reduced or not. Limbs < 2^51.
struct fe fe_load(const uint8_t in[32]);
// The reduced value; bit 255 is clear. Loose in.
void fe_store(uint8_t out[32], const struct fe *a);
// All ones if a = b mod p, else zero. Loose in.
uint64_t fe_equal(const struct fe *a, const struct fe *b);
// Lowest bit of the reduced value: the "sign". Loose in.
uint64_t fe_odd(const struct fe *a);
