// A point's multiples, kept: the signed comb of comb.h with eleven teeth in two blocks, for scalars
// that are public. An entry is read where it lies, so a table may be large: 24 additions and 11
// doublings for each scalar, and several scalars of different points share the doublings.
//
// In memory, KERNELS_VERIFIER_BYTES: the point as it was encoded (32 bytes), the point (at
// POINT_PLACE), then blocks of entries. Points are Y + X, Y - X, 2 d X Y with Z = 1, reduced, 32
// bytes each; all rows make the same table of a point.
#pragma once
#include "../curve25519/table.h"

#define WIDE_TEETH   11
#define WIDE_BLOCKS  2
#define WIDE_PLACES  12                          // from one block to the next
#define WIDE_COLUMNS (WIDE_BLOCKS * WIDE_PLACES) // from one tooth to the next
#define WIDE_BITS    (WIDE_TEETH * WIDE_COLUMNS)
#define WIDE_ENTRIES (1 << (WIDE_TEETH - 1))
#define ENTRY_BYTES  96
#define POINT_PLACE  64
#define BLOCKS_PLACE 192
#define BLOCK_BYTES  (ENTRY_BYTES * WIDE_ENTRIES)
_Static_assert(BLOCKS_PLACE + WIDE_BLOCKS * BLOCK_BYTES <= KERNELS_VERIFIER_BYTES, "table");

// 2^(columns j) P and twice that; the last tooth needs no double and is where the sums begin.
struct block_teeth {
    struct cached once[WIDE_TEETH - 1], twice[WIDE_TEETH - 1];
    struct adder last;
};

// A point in both forms.
struct both {
    struct doubler doubler;
    struct adder adder;
};

INLINE struct both both_double(const struct both *a, int count) {
    struct both out = *a;
    point_double_times(&out.doubler, count - 1);
    point_double_both(&out.doubler, &out.adder, &out.doubler);
    return out;
}

ROUTINE void block_teeth_make(struct block_teeth *teeth, const struct both *first) {
    struct both at = *first;
    for (int tooth = 0; tooth < WIDE_TEETH - 1; tooth++) {
        point_cache(&teeth->once[tooth], &at.adder);
        at = both_double(&at, 1);
        point_cache(&teeth->twice[tooth], &at.adder);
        at = both_double(&at, WIDE_COLUMNS - 1);
    }
    teeth->last = at.adder;
}

INLINE void entry_store(uint8_t *const at[LANES], size_t offset, const struct affine *entry) {
    struct sum sum = reduced(&entry->sum), difference = reduced(&entry->difference);
    struct sum t2d = reduced(&entry->t2d);
    vec word[8];
    reduced_words(&sum, word);
    reduced_words(&difference, word + 4);
    vec_store_block(at, offset, 64, word);
    reduced_words(&t2d, word);
    vec_store_block(at, offset + 64, 32, word);
}

// Entry e is the last tooth, plus or minus the others: bit j of e set means plus tooth j. In the
// order of Gray's code each sum is the one before, with one tooth's sign changed.
ROUTINE void block_store(uint8_t *const at[LANES], size_t offset, const struct block_teeth *teeth) {
    struct adder sum = teeth->last;
    struct cached part[KEPT_ENTRIES];
    struct affine entry[KEPT_ENTRIES];
    for (int tooth = 0; tooth < WIDE_TEETH - 1; tooth++)
        point_add(&sum, &sum, &teeth->once[tooth], LANES_ALL);
    for (int first = 0; first < WIDE_ENTRIES; first += KEPT_ENTRIES) {
        for (int k = 0; k < KEPT_ENTRIES; k++) {
            int step = first + k, code = step ^ step >> 1;
            if (step > 0) {
                int tooth = __builtin_ctz((unsigned)step);
                mask minus = code >> tooth & 1 ? 0 : LANES_ALL;
                point_add(&sum, &sum, &teeth->twice[tooth], minus);
            }
            point_cache(&part[k], &sum);
        }
        entries_divide(entry, part, KEPT_ENTRIES);
        for (int k = 0; k < KEPT_ENTRIES; k++) {
            int code = (first + k) ^ (first + k) >> 1;
            entry_store(at, offset + ENTRY_BYTES * (size_t)code, &entry[k]);
        }
    }
}

// All but the encoding. a->z must be 1; A's order does not matter.
ROUTINE void multiples_store(uint8_t *const at[LANES], const struct doubler *a) {
    struct block_teeth teeth;
    struct cached point;
    struct affine entry;
    struct both first = {*a, adder_of(a)};
    point_cache(&point, &first.adder);
    entries_divide(&entry, &point, 1);
    entry_store(at, POINT_PLACE, &entry);
    for (int block = 0; block < WIDE_BLOCKS; block++) {
        block_teeth_make(&teeth, &first);
        block_store(at, BLOCKS_PLACE + BLOCK_BYTES * (size_t)block, &teeth);
        first = both_double(&first, WIDE_PLACES);
    }
}
