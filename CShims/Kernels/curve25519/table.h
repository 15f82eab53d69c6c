// A point's comb that is kept: for node keys that a sender multiplies again and again.
//
// It is made once, so it has four blocks (15 doublings and 64 additions for each scalar, none for
// the table) and entries with Z = 1. In memory, KERNELS_TABLE_BYTES of 64-bit words little-endian:
// the point as it was encoded (4 words), the point (15), then blocks, entries (8), fields (3),
// limbs (5), all reduced. What a row reads of it is its own affair: rows need not agree on the
// rest.
#pragma once
#include "base.h"

#define KEPT_BLOCKS  4
#define KEPT_ENTRIES (KEPT_BLOCKS * ENTRIES)
#define ENTRY_WORDS  15
#define POINT_OFFSET 32
#define ENTRY_OFFSET (POINT_OFFSET + 8 * ENTRY_WORDS)
_Static_assert(ENTRY_OFFSET + 8 * ENTRY_WORDS * KEPT_ENTRIES <= KERNELS_TABLE_BYTES, "table");

struct kept {
    struct affine entry[KEPT_ENTRIES], point;
};

// Divides by Z, all with one inversion: cached.z2 is 2 Z, so twice its inverse is what multiplies.
ROUTINE void entries_divide(struct affine *out, const struct cached *in, int count) {
    struct factor prefix[KEPT_ENTRIES], inverse;
    prefix[0] = in[0].z2;
    for (int e = 1; e < count; e++) prefix[e] = mul(&prefix[e - 1], &in[e].z2);
    factor_invert(&inverse, &prefix[count - 1], &modulus_p25519);
    for (int e = count - 1; e >= 0; e--) {
        struct factor half = e > 0 ? mul(&inverse, &prefix[e - 1]) : inverse;
        struct sum value = sum_of(&half);
        value = sum_add(&value, &value);
        struct factor z = factor_of(&value);
        inverse = mul(&inverse, &in[e].z2);
        out[e].sum = mul(&in[e].sum, &z);
        out[e].difference = mul(&in[e].difference, &z);
        out[e].t2d = mul(&in[e].t2d, &z);
    }
}

// a->z must be 1.
ROUTINE void kept_make(struct kept *kept, const struct doubler *a) {
    struct teeth teeth;
    struct cached entry[KEPT_ENTRIES], point;
    teeth_make(&teeth, &point, a, KEPT_BLOCKS, 1);
    for (int block = 0; block < KEPT_BLOCKS; block++)
        block_fill(&entry[block * ENTRIES], &teeth, block);
    entries_divide(kept->entry, entry, KEPT_ENTRIES);
    kept->point = (struct affine){point.sum, point.difference, point.t2d}; // its Z is 1
}

INLINE void affine_store(uint8_t *const at[LANES], size_t offset, const struct affine *entry) {
    const struct factor *field[3] = {&entry->sum, &entry->difference, &entry->t2d};
    for (int f = 0; f < 3; f++) {
        struct sum value = reduced(field[f]);
        for (int i = 0; i < 5; i++) vec_store(at, offset + 8 * (size_t)(5 * f + i), value.v[i]);
    }
}

ROUTINE void kept_store(uint8_t *const at[LANES], const struct kept *kept) {
    affine_store(at, POINT_OFFSET, &kept->point);
    for (int e = 0; e < KEPT_ENTRIES; e++)
        affine_store(at, ENTRY_OFFSET + 8 * ENTRY_WORDS * (size_t)e, &kept->entry[e]);
}

// Words first .. first + count - 1 of every lane's table.
INLINE void words_read(const uint8_t *const at[LANES], size_t offset, vec *word, int count) {
    for (int i = 0; i < count; i += 8) {
        vec block[8];
        int part = count - i < 8 ? count - i : 8;
        vec_load_block(at, offset + 8 * (size_t)i, 8 * (size_t)part, block);
        for (int k = 0; k < part; k++) word[i + k] = block[k];
    }
}

ROUTINE void kept_load(struct kept *kept, const uint8_t *const at[LANES]) {
    _Static_assert(sizeof(struct affine) == ENTRY_WORDS * sizeof(vec), "entries are words");
    words_read(at, POINT_OFFSET, (vec *)&kept->point, ENTRY_WORDS);
    words_read(at, ENTRY_OFFSET, (vec *)kept->entry, ENTRY_WORDS * KEPT_ENTRIES);
}

// The chosen entry of a block: reads all of them.
INLINE void kept_read(struct affine *out, const struct kept *kept, int block,
                      const struct choice *choice) {
    const struct affine *entry = &kept->entry[block * ENTRIES];
    out->sum = entry_field(entry, sizeof *entry, offsetof(struct affine, sum), choice);
    out->difference =
        entry_field(entry, sizeof *entry, offsetof(struct affine, difference), choice);
    out->t2d = entry_field(entry, sizeof *entry, offsetof(struct affine, t2d), choice);
}

// out := k A, for any k < 2^256 - 1. Constant time in k.
ROUTINE void kept_multiply(struct doubler *out, const struct kept *kept, const struct scalars *k) {
    const int places = 64 / KEPT_BLOCKS;
    struct scalars signs;
    struct adder sum = adder_neutral();
    struct doubler x;
    struct affine c;
    mask even = scalar_signs(&signs, k);
    for (int place = places - 1; place >= 0; place--) {
        for (int block = KEPT_BLOCKS - 1; block >= 0; block--) {
            const struct choice choice = comb_choice(&signs, block * places + place);
            kept_read(&c, kept, block, &choice);
            if (block == 0 && place > 0)
                affine_add(&x, NULL, &sum, &c, choice.negative, DOUBLER);
            else
                affine_add(NULL, &sum, &sum, &c, choice.negative, ADDER);
        }
        if (place > 0) point_double(&sum, &x);
    }
    affine_correct(out, &sum, &kept->point, even);
    wipe(&signs, sizeof signs);
    wipe(&sum, sizeof sum);
    wipe(&x, sizeof x);
    wipe(&c, sizeof c);
}
