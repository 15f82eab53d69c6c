// Multiplication of one point by several scalars: a signed comb, made once for each point.
//
// An odd k < 2^256 is the sum of s_i 2^i, i = 0..255, with every s_i = 1 or -1: bit i of
// (k >> 1 | 2^255) says which. Four signs that lie 64 apart, the teeth, choose one of 16 sums
// +-A +-2^64 A +-2^128 A +-2^192 A; half of them are the others' opposites, so a table has eight.
// Two tables, the second for signs 32 places up, halve the doublings that each scalar needs: 31,
// with 64 additions, after 224 doublings for the tables, which all scalars share.
//
// An even k is taken as k + 1 and A is subtracted in the end, exactly, whatever A's order is.
#pragma once
#include "lane_point.h"

#define TEETH   4
#define BLOCKS  2
#define SPACING 32 // doublings from one block to the next
#define ENTRIES 8

struct comb {
    struct cached entry[BLOCKS][ENTRIES];
    struct cached point;
};

// 2^(spacing j) A and twice that, for j = 0 .. blocks * TEETH - 1: tooth j / blocks of block
// j % blocks. The last tooth needs no double and is where the sums begin.
#define TEETH_BLOCKS_MAX 4
struct teeth {
    struct cached once[TEETH_BLOCKS_MAX][TEETH - 1], twice[TEETH_BLOCKS_MAX][TEETH - 1];
    struct adder last[TEETH_BLOCKS_MAX];
};

// Teeth lie 64 places apart, so spacing is 64 / blocks; blocks is at most TEETH_BLOCKS_MAX. Of 1 or
// ABREAST vectors.
ROUTINE void teeth_make(struct teeth *teeth, struct cached *point, const struct doubler *a,
                        int blocks, int count) {
    const int spacing = 64 / blocks, last = blocks * TEETH - 1;
    struct doubler x[ABREAST];
    struct adder z[ABREAST];
    for (int v = 0; v < count; v++) {
        x[v] = a[v];
        z[v] = adder_of(&a[v]);
        point_cache(&point[v], &z[v]);
    }
    for (int j = 0; j <= last; j++) {
        int block = j % blocks, tooth = j / blocks, twice_kept = tooth < TEETH - 1;
        for (int v = 0; v < count; v++) {
            if (!twice_kept) {
                teeth[v].last[block] = z[v];
                continue;
            }
            point_cache(&teeth[v].once[block][tooth], &z[v]);
            point_double_both(&x[v], &z[v], &x[v]);
            point_cache(&teeth[v].twice[block][tooth], &z[v]);
        }
        if (j == last) break;
        points_double_times(x, spacing - 1 - twice_kept, count);
        for (int v = 0; v < count; v++) point_double_both(&x[v], &z[v], &x[v]);
    }
}

// Entry e is the last tooth, plus or minus the others: bit j of e set means plus tooth j.
ROUTINE void block_fill(struct cached entry[ENTRIES], const struct teeth *teeth, int block) {
    struct adder sum[ENTRIES];
    sum[0] = teeth->last[block];
    for (int tooth = 0; tooth < TEETH - 1; tooth++)
        point_add(&sum[0], &sum[0], &teeth->once[block][tooth], LANES_ALL);
    for (int tooth = 0; tooth < TEETH - 1; tooth++)
        for (int e = 0; e < 1 << tooth; e++)
            point_add(&sum[e | 1 << tooth], &sum[e], &teeth->twice[block][tooth], 0);
    for (int e = 0; e < ENTRIES; e++) point_cache(&entry[e], &sum[e]);
}

// Of 1 or ABREAST vectors. A need not be in the prime-order group. a->z must be 1.
ROUTINE void combs_make(struct comb *comb, const struct doubler *a, int count) {
    struct teeth teeth[ABREAST];
    struct cached point[ABREAST];
    teeth_make(teeth, point, a, BLOCKS, count);
    for (int v = 0; v < count; v++) {
        comb[v].point = point[v];
        for (int block = 0; block < BLOCKS; block++)
            block_fill(comb[v].entry[block], &teeth[v], block);
    }
}

// Scalars, four words, one in each lane.
struct scalars {
    vec word[4];
};

// Which entry: the signs of the teeth below the last, each compared with the last one's; and where
// its opposite is wanted.
struct choice {
    mask tooth[TEETH - 1], negative;
};

// Of the teeth at `place`, 64 apart: so each is a bit of a word of its own.
INLINE struct choice comb_choice(const struct scalars *signs, int place) {
    _Static_assert(TEETH == 4 && BLOCKS * SPACING == 64, "a word a tooth");
    const uint64_t bit = (uint64_t)1 << place;
    struct choice out;
    out.negative = (mask)~vec_bit_mask(signs->word[TEETH - 1], bit) & LANES_ALL;
    for (int tooth = 0; tooth < TEETH - 1; tooth++)
        out.tooth[tooth] = vec_bit_mask(signs->word[tooth], bit) ^ out.negative;
    return out;
}

// The factor `field` bytes into the chosen entry; entries are `stride` bytes apart. Reads all of
// them.
INLINE struct factor entry_field(const void *entry, size_t stride, size_t field,
                                 const struct choice *choice) {
    const char *at = (const char *)entry + field;
    struct factor out[ENTRIES];
    for (int e = 0; e < ENTRIES; e++) out[e] = *(const struct factor *)(at + stride * (size_t)e);
    for (int tooth = 0; tooth < TEETH - 1; tooth++)
        for (int e = 0; e < ENTRIES >> (tooth + 1); e++)
            out[e] = factor_select(choice->tooth[tooth], &out[2 * e + 1], &out[2 * e]);
    return out[0];
}

// The signs of k, or of k + 1 in the lanes that are returned, where k is even.
INLINE mask scalar_signs(struct scalars *signs, const struct scalars *k) {
    for (int i = 0; i < 4; i++) {
        vec above = i < 3 ? vec_shl(k->word[i + 1], 63) : vec_set((uint64_t)1 << 63);
        signs->word[i] = vec_or(vec_shr(k->word[i], 1), above);
    }
    return (mask)~vec_bit_mask(k->word[0], 1) & LANES_ALL;
}

// a plus the entry that the signs at `place` choose. The entry is read in parts, among the
// products: reading is the load unit's work, and the multiplier has its own meanwhile.
INLINE void comb_plus(struct doubler *doubler, struct adder *adder, const struct adder *a,
                      const struct cached *entry, const struct scalars *signs, int place,
                      enum wanted wanted) {
    struct quotients q;
    const struct choice choice = comb_choice(signs, place);
    const mask negative = choice.negative;
    struct factor difference =
        entry_field(entry, sizeof *entry, offsetof(struct cached, difference), &choice);
    struct factor sum = entry_field(entry, sizeof *entry, offsetof(struct cached, sum), &choice);
    plus_first(&q, a, &sum, &difference, negative);
    struct factor z2 = entry_field(entry, sizeof *entry, offsetof(struct cached, z2), &choice);
    struct sum zz = factor_mul(&a->z, &z2, 1);
    struct factor t2d = entry_field(entry, sizeof *entry, offsetof(struct cached, t2d), &choice);
    plus_second(&q, a, &zz, &t2d, negative);
    finish(doubler, adder, &q, wanted);
}

ROUTINE void comb_add(struct adder *out, const struct adder *a, const struct cached *entry,
                      const struct scalars *signs, int place) {
    comb_plus(NULL, out, a, entry, signs, place, ADDER);
}

ROUTINE void comb_add_last(struct doubler *out, const struct adder *a, const struct cached *entry,
                           const struct scalars *signs, int place) {
    comb_plus(out, NULL, a, entry, signs, place, DOUBLER);
}

// out := k A, for any k < 2^256 - 1. Constant time in k.
ROUTINE void comb_multiply(struct doubler *out, const struct comb *comb, const struct scalars *k) {
    struct scalars signs;
    struct adder sum = adder_neutral();
    struct doubler x;
    mask even = scalar_signs(&signs, k);
    for (int place = SPACING - 1;; place--) {
        comb_add(&sum, &sum, comb->entry[1], &signs, place + SPACING);
        if (place == 0) break;
        comb_add_last(&x, &sum, comb->entry[0], &signs, place);
        point_double(&sum, &x);
    }
    comb_add(&sum, &sum, comb->entry[0], &signs, 0);

    struct cached correction;
    const struct adder neutral = adder_neutral();
    point_cache(&correction, &neutral);
    correction.sum = factor_select(even, &comb->point.sum, &correction.sum);
    correction.difference = factor_select(even, &comb->point.difference, &correction.difference);
    correction.z2 = factor_select(even, &comb->point.z2, &correction.z2);
    correction.t2d = factor_select(even, &comb->point.t2d, &correction.t2d);
    point_add_last(out, &sum, &correction, LANES_ALL);
    wipe(&signs, sizeof signs);
    wipe(&sum, sizeof sum);
    wipe(&x, sizeof x);
    wipe(&correction, sizeof correction);
}
