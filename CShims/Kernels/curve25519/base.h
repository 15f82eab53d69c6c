// Multiples of the base point: a comb as in comb.h whose table is a constant, the same in every
// lane. A constant table costs nothing to make, so it has 16 blocks: 3 doublings and 64 additions,
// and every entry has Z = 1.
#pragma once
#include "base_table.h"
#include "comb.h"

#define BASE_BLOCKS 16

// Y + X, Y - X, 2 d X Y.
struct affine {
    struct factor sum, difference, t2d;
};

// a + c, or a - c in the lanes of `negative`.
INLINE void affine_plus(struct doubler *doubler, struct adder *adder, const struct adder *a,
                        const struct affine *c, mask negative, enum wanted wanted) {
    struct halves q;
    plus_first(&q, a, &c->sum, &c->difference, negative);
    struct sum z = sum_of(&a->z), bias = sum_bias(), zz = sum_add(&z, &z);
    zz = sum_add(&zz, &bias);
    plus_second(&q, a, &zz, &c->t2d, negative);
    finish(doubler, adder, &q.e, &q.f, &q.g, &q.h, wanted);
}

ROUTINE void affine_add(struct doubler *doubler, struct adder *adder, const struct adder *a,
                        const struct affine *c, mask negative, enum wanted wanted) {
    affine_plus(doubler, adder, a, c, negative, wanted);
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

// Reads the chosen entry of a block.
typedef void affine_read(struct affine *out, const void *table, int block, const mask *chosen);

// out := k A, for any k < 2^256 - 1, by A's comb of so many blocks. Constant time in k.
INLINE void affine_multiply(struct doubler *out, const struct scalars *k,
                            const struct affine *point, const void *table, int blocks,
                            affine_read *read) {
    const int places = 64 / blocks;
    struct scalars signs;
    struct adder sum = adder_neutral();
    struct doubler x;
    struct affine c;
    mask chosen[ENTRIES], even = scalar_signs(&signs, k);
    for (int place = places - 1; place >= 0; place--) {
        for (int block = blocks - 1; block >= 0; block--) {
            mask negative = comb_signs(chosen, &signs, block * places + place);
            read(&c, table, block, chosen);
            if (block == 0 && place > 0)
                affine_add(&x, NULL, &sum, &c, negative, DOUBLER);
            else
                affine_add(NULL, &sum, &sum, &c, negative, ADDER);
        }
        if (place > 0) point_double(&sum, &x);
    }
    affine_correct(out, &sum, point, even);
    wipe(&signs, sizeof signs);
    wipe(&sum, sizeof sum);
    wipe(&x, sizeof x);
    wipe(&c, sizeof c);
}

// Field `field` of the chosen entry: reads all entries.
INLINE struct factor base_field(const uint64_t entry[8][3][5], int field, const mask *chosen) {
    struct factor out = factor_set(entry[0][field]);
    for (int e = 1; e < ENTRIES; e++)
        for (int i = 0; i < 5; i++)
            out.v[i] = vec_select(chosen[e], vec_set(entry[e][field][i]), out.v[i]);
    return out;
}

INLINE void base_read(struct affine *out, const void *table, int block, const mask *chosen) {
    (void)table;
    out->sum = base_field(base_table[block], 0, chosen);
    out->difference = base_field(base_table[block], 1, chosen);
    out->t2d = base_field(base_table[block], 2, chosen);
}

// out := k B.
ROUTINE void base_multiply(struct doubler *out, const struct scalars *k) {
    const struct affine b = {
        factor_set(base_point[0]), factor_set(base_point[1]), factor_set(base_point[2])};
    affine_multiply(out, k, &b, NULL, BASE_BLOCKS, base_read);
}
