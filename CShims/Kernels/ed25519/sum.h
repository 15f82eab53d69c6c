// s B - h A by tables of B and -A, entries read where they lie: scalars and points are public.
#pragma once
#include "base_multiples.h"
#include "multiples.h"

// A comb's digits. Byte c % 8 of word c / 8 holds column c's signs, a bit for each tooth: of the
// first eight in `low`, of the others in `high`. Set means plus.
#define COLUMN_WORDS ((WIDE_COLUMNS + 7) / 8)
struct digits {
    vec low[COLUMN_WORDS], high[COLUMN_WORDS];
};

// Bits `place` and those above, at least a tooth's.
INLINE vec bits_from(const vec word[6], int place) {
    int shift = place % 64;
    vec low = vec_shr(word[place / 64], shift);
    return shift == 0 ? low : vec_or(low, vec_shl(word[place / 64 + 1], 64 - shift));
}

// Exchanges the bits of `low`, `shift` places apart.
#define BITS_EXCHANGE(a, shift, low)                                                               \
    do {                                                                                           \
        vec t = vec_and(vec_xor(a, vec_shr(a, shift)), vec_set(low));                              \
        (a) = vec_xor(a, vec_xor(t, vec_shl(t, shift)));                                           \
    } while (0)

// Eight bytes of eight bits: bit i of byte j becomes bit j of byte i (Warren, Hacker's Delight).
INLINE vec bits_transpose(vec a) {
    BITS_EXCHANGE(a, 7, 0x00aa00aa00aa00aa);
    BITS_EXCHANGE(a, 14, 0x0000cccc0000cccc);
    BITS_EXCHANGE(a, 28, 0x00000000f0f0f0f0);
    return a;
}

// The digits of an odd k < 2^256, or of k + 1 where k is even.
ROUTINE void digits_make(struct digits *digits, const struct scalars *k) {
    _Static_assert(WIDE_BITS > 256 && WIDE_BITS <= 320 && WIDE_COLUMNS <= 32, "bits of a digit");
    _Static_assert(WIDE_TEETH > 8 && WIDE_TEETH <= 16, "two bytes a digit");
    vec sign[6], tooth[16];
    for (int i = 0; i < 4; i++) {
        sign[i] = vec_shr(k->word[i], 1);
        if (i < 3) sign[i] = vec_or(sign[i], vec_shl(k->word[i + 1], 63));
    }
    sign[4] = vec_set((uint64_t)1 << (WIDE_BITS - 1 - 256));
    sign[5] = vec_set(0);
    for (int j = 0; j < 16; j++)
        tooth[j] = j < WIDE_TEETH ? bits_from(sign, WIDE_COLUMNS * j) : vec_set(0);
    for (int i = 0; i < COLUMN_WORDS; i++) {
        vec low = vec_set(0), high = vec_set(0);
        for (int j = 0; j < 8; j++) {
            vec first = vec_and(vec_shr(tooth[j], 8 * i), vec_set(0xff));
            vec second = vec_and(vec_shr(tooth[8 + j], 8 * i), vec_set(0xff));
            low = vec_or(low, vec_shl(first, 8 * j));
            high = vec_or(high, vec_shl(second, 8 * j));
        }
        digits->low[i] = bits_transpose(low);
        digits->high[i] = bits_transpose(high);
    }
}

// Where in a block each lane's entry of a column lies, and the lanes that want its opposite.
INLINE mask digit_places(uint64_t place[LANES], const struct digits *digits, int column) {
    int word = column / 8, shift = 8 * (column % 8);
    vec low = vec_and(vec_shr(digits->low[word], shift), vec_set(0xff));
    vec high = vec_and(vec_shr(digits->high[word], shift), vec_set(0xff));
    vec digit = vec_or(low, vec_shl(high, 8)), ones = vec_set(WIDE_ENTRIES - 1);
    mask plus = vec_bit_mask(digit, WIDE_ENTRIES);
    vec entry = vec_and(vec_select(plus, digit, vec_xor(digit, ones)), ones);
    vec bytes = vec_add(vec_shl(entry, 6), vec_shl(entry, 5));
    _Static_assert(ENTRY_BYTES == 64 + 32, "the shifts above");
    memcpy(place, &bytes, sizeof(uint64_t) * LANES);
    return (mask)~plus & LANES_ALL;
}

// From 32 bytes of a reduced number.
INLINE struct factor reduced_load(const vec word[4]) {
    struct factor out;
    out.v[0] = vec_factor(word[0]);
    out.v[1] = vec_factor(vec_funnel(word[0], word[1], 52));
    out.v[2] = vec_factor(vec_funnel(word[1], word[2], 40));
    out.v[3] = vec_factor(vec_funnel(word[2], word[3], 28));
    out.v[4] = vec_and(vec_shr(word[3], 16), vec_set(LOW(LIMB_TOP)));
    return out;
}

INLINE void entry_load(struct affine *out, const uint8_t *const at[LANES]) {
    vec word[4];
    vec_load_half(at, 0, word);
    out->sum = reduced_load(word);
    vec_load_half(at, 32, word);
    out->difference = reduced_load(word);
    vec_load_half(at, 64, word);
    out->t2d = reduced_load(word);
}

// One scalar of each lane, the tables by which it is multiplied, and which entries come next.
struct term {
    struct digits digits;
    const uint8_t *table[LANES], *next[LANES];
    mask minus;
};

// Chooses a column's entries and calls them out of memory; they are wanted an addition later.
INLINE void term_fetch(struct term *term, int column) {
    const size_t block = BLOCKS_PLACE + BLOCK_BYTES * (size_t)(column / WIDE_PLACES);
    uint64_t place[LANES];
    term->minus = digit_places(place, &term->digits, column);
    for (int i = 0; i < LANES; i++) {
        term->next[i] = term->table[i] + block + place[i];
        __builtin_prefetch(term->next[i]);
        __builtin_prefetch(term->next[i] + 64);
    }
}

// sum plus the entries that were fetched. For ADDER or DOUBLER.
ROUTINE void term_add(struct doubler *doubler, struct adder *adder, const struct adder *sum,
                      const struct term *term, enum wanted wanted) {
    struct affine entry;
    entry_load(&entry, term->next);
    if (wanted == ADDER)
        affine_plus(doubler, adder, sum, &entry, term->minus, ADDER);
    else
        affine_plus(doubler, adder, sum, &entry, term->minus, DOUBLER);
}

// Columns in the order in which they are added: the blocks of the highest place come first.
INLINE int column_at(int step) {
    int place = WIDE_PLACES - 1 - step / WIDE_BLOCKS, block = step % WIDE_BLOCKS;
    return WIDE_PLACES * block + place;
}

// out := s B + h A', A' being what the tables of h are made of. Odd s, any h; both below 2^256.
ROUTINE void sum_make(struct doubler *out, const struct scalars *s, const struct scalars *h,
                      const uint8_t *const table[LANES]) {
    struct term base, key;
    struct adder sum = adder_neutral();
    struct doubler x;
    struct affine point;
    const uint8_t *at[LANES];
    digits_make(&base.digits, s);
    digits_make(&key.digits, h);
    for (int i = 0; i < LANES; i++) {
        base.table[i] = ed25519_base_multiples;
        key.table[i] = table[i];
        at[i] = table[i] + POINT_PLACE;
    }
    term_fetch(&base, column_at(0));
    for (int step = 1; step <= WIDE_COLUMNS; step++) {
        int doubles = step % WIDE_BLOCKS == 0 && step < WIDE_COLUMNS;
        term_fetch(&key, column_at(step - 1));
        term_add(NULL, &sum, &sum, &base, ADDER);
        if (step < WIDE_COLUMNS) term_fetch(&base, column_at(step));
        term_add(&x, &sum, &sum, &key, doubles ? DOUBLER : ADDER);
        if (doubles) point_double(&sum, &x);
    }
    entry_load(&point, at);
    affine_correct(out, &sum, &point, (mask)~vec_bit_mask(h->word[0], 1) & LANES_ALL);
}
