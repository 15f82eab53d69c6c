// The field of p = 2^256 - 2^32 - 977 over the lane vocabulary. lanes/field.h says how it differs
// from field.h.
#pragma once

#define LIMB_TOP  48
#define LIMB_WRAP 0x1000003d1
#include "../lanes/field.h"

// What 2^260 is worth.
#define FOLD_260 0x1000003d10

// 768 (2^260 - FOLD_260): limbs in (2^61.58, 2^61.59).
static const uint64_t field_bias[5] = {0x2fffcfffff48d000,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00};

// Brings columns 5..9 down. Columns are below 2^56; the result is below 2^57. Column 9 is below
// 2^46, so what it is worth reaches over 2^260 once more.
INLINE struct sum fold(const column columns[10]) {
    const vec worth = vec_set(FOLD_260), none = vec_set(0);
    struct sum out;
    vec c[10];
    columns_settle(columns, 10, c);
    for (int k = 5; k < 9; k++) c[k + 1] = vec_add(c[k + 1], vec_shr(c[k], 52));
    vec top = vec_claim(c[9], LOW(46)), again = vec_add_high(none, top, worth);
    c[4] = vec_add_low(c[4], top, worth);
    for (int k = 0; k < 4; k++) {
        vec high = vec_factor(c[k + 5]);
        c[k] = vec_add_low(c[k], high, worth);
        c[k + 1] = vec_add_high(c[k + 1], high, worth);
    }
    c[0] = vec_add_low(c[0], again, worth);
    c[1] = vec_add_high(c[1], again, worth);
    for (int k = 0; k < 5; k++) out.v[k] = c[k];
    return out;
}

INLINE struct factor negative(const struct factor *a) {
    struct sum bias = sum_bias(), value = sum_of(a);
    value = sum_sub(&bias, &value);
    return factor_of(&value);
}

// a - b
INLINE struct factor minus(const struct sum *a, const struct sum *b) {
    struct sum bias = sum_bias(), value = sum_add(a, &bias);
    value = sum_sub(&value, b);
    return factor_of(&value);
}

// a^((p - 3) / 4), whose exponent begins with 223 ones, a zero, 22 ones, then 00001 011.
ROUTINE void root_power(struct factor *out, const struct factor *a, int groups) {
    struct factor x2[GROUPS_MAX], x3[GROUPS_MAX], x22[GROUPS_MAX], x44[GROUPS_MAX], t[GROUPS_MAX],
        s[GROUPS_MAX];
    square_times_mul(x2, a, 1, a, groups);
    square_times_mul(x3, x2, 1, a, groups);
    square_times_mul(t, x3, 3, x3, groups);  // x_6
    square_times_mul(t, t, 3, x3, groups);   // x_9
    square_times_mul(t, t, 2, x2, groups);   // x_11
    square_times_mul(x22, t, 11, t, groups); //
    square_times_mul(x44, x22, 22, x22, groups);
    square_times_mul(t, x44, 44, x44, groups); // x_88
    square_times_mul(s, t, 88, t, groups);     // x_176
    square_times_mul(t, s, 44, x44, groups);   // x_220
    square_times_mul(t, t, 3, x3, groups);     // x_223
    square_times_mul(t, t, 23, x22, groups);
    square_times_mul(t, t, 5, a, groups);
    square_times_mul(out, t, 3, x2, groups);
}

INLINE mask limbs_equal(const vec a[5], const vec b[5]) {
    vec differ = vec_xor(a[0], b[0]);
    for (int i = 1; i < 5; i++) differ = vec_or(differ, vec_xor(a[i], b[i]));
    return vec_zero_mask(differ);
}

// Lanes where a number is below p.
INLINE mask is_reduced(const struct factor *a) {
    struct sum value = sum_of(a), least = reduced(a);
    return limbs_equal(value.v, least.v);
}

// Big-endian words, as they lie in memory, to limbs and back.
INLINE void words_turn(vec word[4]) {
    vec first = vec_swap_bytes(word[0]), second = vec_swap_bytes(word[1]);
    word[0] = vec_swap_bytes(word[3]);
    word[1] = vec_swap_bytes(word[2]);
    word[2] = second;
    word[3] = first;
}

#include "../inverse/lanes.h"

INLINE void factor_inverse(struct factor *out, const struct factor *a) {
    factor_invert(out, a, &modulus_secp256k1);
}
