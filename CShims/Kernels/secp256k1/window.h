// A scalar as signed odd digits, and tables of a point's multiples for them.
//
// An odd k < 2^m is the sum of s_i 2^i, i = 0..m-1, with every s_i = 1 or -1: bit i of
// (k >> 1 | 2^(m-1)) says which. `bits` neighbouring signs make a digit, an odd number below 2^bits
// in size, so no digit is 0 and no sum begins at infinity. An even k is taken as n - k, and all
// digits change sign. A table has, for each window j, the odd multiples of 2^(bits * j) P.
#pragma once
#include "lane_order.h"
#include "sum.h"
#include "tables.h"

// -- Digits

struct digits {
    vec word[5];   // the signs
    mask negative; // lanes whose digits change sign
};

// Of an odd number below 2^m, m <= 320.
INLINE void signs_of(struct digits *out, const struct order *value, int m, mask negative) {
    order_words(value, out->word);
    for (int i = 0; i < 4; i++) {
        vec above = i < 3 ? vec_shl(out->word[i + 1], 63) : vec_set(0);
        out->word[i] = vec_or(vec_shr(out->word[i], 1), above);
    }
    out->word[4] = vec_set(0);
    const int top = m - 1;
    out->word[top / 64] = vec_or(out->word[top / 64], vec_set((uint64_t)1 << top % 64));
    out->negative = negative;
}

// Of a reduced scalar. m is the number of signs, 256 or more.
INLINE void digits_of(struct digits *out, const struct order *k, int m) {
    mask odd = vec_bit_mask(k->v[0], 1), zero = order_is_zero(k);
    struct order other = order_negative(k);
    other = order_reduced(&other);
    // The negative of 0 is taken for n.
    for (int i = 0; i < 5; i++) other.v[i] = vec_select(zero, vec_set(order_limb[i]), other.v[i]);
    struct order value = order_select(odd, k, &other);
    signs_of(out, &value, m, (mask)~odd & LANES_ALL);
}

// Digit j: the entry of its table, and the lanes where it is negative.
INLINE vec digit(const struct digits *digits, int bits, int j, mask *negative) {
    const int at = bits * j, word = at / 64, shift = at % 64;
    vec value = vec_shr(digits->word[word], shift);
    if (shift + bits > 64) value = vec_or(value, vec_shl(digits->word[word + 1], 64 - shift));
    mask plus = vec_bit_mask(value, (uint64_t)1 << (bits - 1));
    *negative = ((mask)~plus & LANES_ALL) ^ digits->negative;
    value = vec_select(plus, value, vec_xor(value, vec_set(UINT64_MAX)));
    return vec_and(value, vec_set(LOW(bits - 1)));
}

INLINE void negate_in(struct affine *point, mask negative) {
    struct sum bias = sum_bias(), y = sum_of(&point->y), minus_y = sum_sub(&bias, &y);
    y = sum_select(negative, &minus_y, &y);
    point->y = factor_of(&y);
}

// -- The table of the base point, for secret scalars: every limb's entries side by side.

// Reads every entry.
INLINE void base_read(struct affine *out, const struct secp_base *base, int window, vec entry,
                      mask negative) {
    _Static_assert(BASE_ENTRIES == PICKS, "a window is picked from as a whole");
    const struct pick pick = pick_of(entry);
    for (int i = 0; i < 5; i++) {
        out->x.v[i] = vec_pick(base->limb[window][i], &pick);
        out->y.v[i] = vec_pick(base->limb[window][5 + i], &pick);
    }
    negate_in(out, negative);
}

// -- A signer's table, for public scalars: 64 bytes an entry, x and y in words.

// Each lane's own entry. Variable time.
INLINE void signer_read(struct affine *out, const uint8_t *const at[LANES], mask negative) {
    vec word[8];
    vec_load_block(at, 0, 64, word);
    out->x = factor_load(word);
    out->y = factor_load(word + 4);
    negate_in(out, negative);
}
