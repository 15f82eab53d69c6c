// The field of 2^255 - 19 over the lane vocabulary. lanes/field.h says how it differs from field.h.
//
// 2^260 = 608 modulo p: so a product's upper columns come down. WORD_PRODUCTS says that the machine
// multiplies a limb by 608 in one word of 64 bits; else it takes two multiply-adds.
#pragma once

#define LIMB_TOP  47
#define LIMB_WRAP 19
#include "../lanes/field.h"

// 768 (2^260 - 608): limbs in (2^61.57, 2^61.59).
static const uint64_t field_bias[5] = {0x2ffffffffff8e000,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00};

// Brings columns 5..9 down. Columns are below 2^56 and column 9 below 2^42.7, as limb 4 of a factor
// is below 2^47.3; the result is below 2^61.3.
INLINE struct sum fold(const column columns[10]) {
    struct sum out;
    vec c[10];
    columns_settle(columns, 10, c);
    for (int k = 5; k < 9; k++) c[k + 1] = vec_add(c[k + 1], vec_shr(c[k], 52));
    c[4] = vec_add_low(c[4], vec_claim(c[9], LOW(52) / 608), vec_set(608));
    for (int k = 0; k < 4; k++) {
#if WORD_PRODUCTS
        c[k] = vec_add(c[k], vec_times(vec_and(c[k + 5], vec_set(LOW(52))), 608));
#else
        c[k] = vec_add_low(c[k], c[k + 5], vec_set(608));
        c[k + 1] = vec_add_high(c[k + 1], c[k + 5], vec_set(608));
#endif
    }
    for (int k = 0; k < 5; k++) out.v[k] = c[k];
    return out;
}

// a^(2^252 - 3): the square-root power. x_k is a^(2^k - 1).
ROUTINE void root_power(struct factor *out, const struct factor *a, int groups) {
    struct factor a2[GROUPS_MAX], a9[GROUPS_MAX], x10[GROUPS_MAX], x50[GROUPS_MAX], t[GROUPS_MAX];
    for (int g = 0; g < groups; g++) a2[g] = square(&a[g]);
    square_times_mul(a9, a2, 2, a, groups);
    mul_each(t, a9, a2, groups);           // a^11
    square_times_mul(t, t, 1, a9, groups); // x_5
    square_times_mul(x10, t, 5, t, groups);
    square_times_mul(t, x10, 10, x10, groups); // x_20
    square_times_mul(t, t, 20, t, groups);     // x_40
    square_times_mul(x50, t, 10, x10, groups);
    square_times_mul(t, x50, 50, x50, groups); // x_100
    square_times_mul(t, t, 100, t, groups);    // x_200
    square_times_mul(t, t, 50, x50, groups);   // x_250
    square_times_mul(out, t, 2, a, groups);
}
