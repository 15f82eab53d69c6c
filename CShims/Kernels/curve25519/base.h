// Multiples of the base point: a comb as in comb.h whose table is a constant, the same in every
// lane. A constant table costs nothing to make, and a lane finds its entry in it without a mask for
// each: so it has six teeth in 11 blocks: 3 doublings and 44 additions, and every entry has Z = 1.
#pragma once
#include "base_table.h"
#include "comb.h"

#define BASE_TEETH   6
#define BASE_BLOCKS  11
#define BASE_PLACES  4
#define BASE_SPACING (BASE_BLOCKS * BASE_PLACES) // from one tooth to the next
#define BASE_BITS    (BASE_TEETH * BASE_SPACING)

// Y + X, Y - X, 2 d X Y.
struct affine {
    struct factor sum, difference, t2d;
};

// a + c, or a - c in the lanes of `negative`.
INLINE void affine_plus(struct doubler *doubler, struct adder *adder, const struct adder *a,
                        const struct affine *c, mask negative, enum wanted wanted) {
    struct quotients q;
    plus_first(&q, a, &c->sum, &c->difference, negative);
    struct sum z = sum_of(&a->z), bias = sum_bias(), zz = sum_add(&z, &z);
    zz = sum_add(&zz, &bias);
    plus_second(&q, a, &zz, &c->t2d, negative);
    finish(doubler, adder, &q, wanted);
}

// For ADDER or DOUBLER.
ROUTINE void affine_add(struct doubler *doubler, struct adder *adder, const struct adder *a,
                        const struct affine *c, mask negative, enum wanted wanted) {
    if (wanted == ADDER)
        affine_plus(doubler, adder, a, c, negative, ADDER);
    else
        affine_plus(doubler, adder, a, c, negative, DOUBLER);
}

// out := sum - point in the lanes of `even`, where k + 1 was taken for k; sum in the others.
INLINE void affine_correct(struct doubler *out, const struct adder *sum, const struct affine *point,
                           mask even) {
    const struct factor one = factor_small(1), zero = factor_small(0);
    struct affine c;
    c.sum = factor_select(even, &point->sum, &one);
    c.difference = factor_select(even, &point->difference, &one);
    c.t2d = factor_select(even, &point->t2d, &zero);
    affine_add(out, NULL, sum, &c, LANES_ALL, DOUBLER);
    wipe(&c, sizeof c);
}

// The signs of k, or of k + 1 where k is even, of which comb.h speaks; here there are BASE_BITS.
struct base_signs {
    vec word[5];
};

INLINE struct base_signs base_signs_of(const struct scalars *k) {
    _Static_assert(BASE_BITS > 256 && BASE_BITS <= 320, "five words");
    struct base_signs out;
    for (int i = 0; i < 4; i++) {
        vec above = i < 3 ? vec_shl(k->word[i + 1], 63) : vec_set(0);
        out.word[i] = vec_or(vec_shr(k->word[i], 1), above);
    }
    out.word[4] = vec_set((uint64_t)1 << (BASE_BITS - 1 - 256));
    return out;
}

INLINE vec base_sign(const struct base_signs *signs, int place) {
    return vec_and(vec_shr(signs->word[place / 64], place % 64), vec_set(1));
}

// The entry that the signs at `place` and its teeth choose, of `block`; returns where its opposite
// is wanted.
INLINE mask base_read(struct affine *out, const struct base_signs *signs, int block, int place) {
    const int first = BASE_PLACES * block + place;
    vec last = base_sign(signs, first + BASE_SPACING * (BASE_TEETH - 1));
    vec opposite = vec_xor(last, vec_set(1)), index = vec_set(0);
    for (int tooth = 0; tooth < BASE_TEETH - 1; tooth++) {
        vec bit = vec_xor(base_sign(signs, first + BASE_SPACING * tooth), opposite);
        index = vec_or(index, vec_shl(bit, tooth));
    }
    const struct pick pick = pick_of(index);
    const uint64_t(*entry)[5][PICKS] = base_table[block];
    for (int i = 0; i < 5; i++) {
        out->sum.v[i] = vec_pick(entry[0][i], &pick);
        out->difference.v[i] = vec_pick(entry[1][i], &pick);
        out->t2d.v[i] = vec_pick(entry[2][i], &pick);
    }
    return vec_bit_mask(opposite, 1);
}

// For ADDER or DOUBLER.
ROUTINE void base_add(struct doubler *doubler, struct adder *adder, const struct adder *a,
                      const struct base_signs *signs, int block, int place, enum wanted wanted) {
    struct affine c;
    mask negative = base_read(&c, signs, block, place);
    if (wanted == ADDER)
        affine_plus(doubler, adder, a, &c, negative, ADDER);
    else
        affine_plus(doubler, adder, a, &c, negative, DOUBLER);
}

// out := k B, for any k < 2^256 - 1. Constant time in k.
ROUTINE void base_multiply(struct doubler *out, const struct scalars *k) {
    const struct affine b = {
        factor_set(base_point[0]), factor_set(base_point[1]), factor_set(base_point[2])};
    struct base_signs signs = base_signs_of(k);
    struct adder sum = adder_neutral();
    struct doubler x;
    for (int place = BASE_PLACES - 1; place >= 0; place--) {
        for (int block = BASE_BLOCKS - 1; block > 0; block--)
            base_add(NULL, &sum, &sum, &signs, block, place, ADDER);
        if (place == 0) break;
        base_add(&x, NULL, &sum, &signs, 0, place, DOUBLER);
        point_double(&sum, &x);
    }
    base_add(NULL, &sum, &sum, &signs, 0, 0, ADDER);
    affine_correct(out, &sum, &b, (mask)~vec_bit_mask(k->word[0], 1) & LANES_ALL);
    wipe(&signs, sizeof signs);
    wipe(&sum, sizeof sum);
    wipe(&x, sizeof x);
}
