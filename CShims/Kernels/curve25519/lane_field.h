// The field of 2^255 - 19 over the lane vocabulary: five limbs of 52 bits, one number in each lane.
//
// How it differs from field.h. A multiplier here reads only the low 52 bits of a limb, so a limb is
// not masked before it is multiplied, and sums are not carried before they are added. Hence two
// types, which the compiler keeps apart:
//   struct factor  what a product takes. Limbs 0..3 count modulo 2^52, what stands above is noise;
//                  limb 4 is below 2^47 + 2^13 and counts whole.
//   struct sum     what a product or a sum is. Every bit counts; limbs are below 2^64.
// factor_of() carries a sum, once. lanes/interval.h proves the bounds given here for every input.
//
// 2^260 = 608 modulo p: so a product's upper columns come down. WORD_PRODUCTS says that the machine
// multiplies a limb by 608 in one word of 64 bits; else it takes two multiply-adds.
#pragma once

struct factor {
    vec v[5];
};
struct sum {
    vec v[5];
};

#define LIMB_TOP  47 // bits of limb 4 in a number below 2^255
#define LOW(bits) (((uint64_t)1 << (bits)) - 1)

// A multiple of p with limbs in (2^61.57, 2^61.59): added to what something is subtracted from.
static const uint64_t field_bias[5] = {0x2ffffffffff8e000,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00,
                                       0x2ffffffffffffd00};

// -- Sums

INLINE struct sum sum_add(const struct sum *a, const struct sum *b) {
    struct sum out;
    for (int i = 0; i < 5; i++) out.v[i] = vec_add(a->v[i], b->v[i]);
    return out;
}

// No limb of b may be above that of a: a holds the bias.
INLINE struct sum sum_sub(const struct sum *a, const struct sum *b) {
    struct sum out;
    for (int i = 0; i < 5; i++) out.v[i] = vec_sub(a->v[i], b->v[i]);
    return out;
}

INLINE struct sum sum_bias(void) {
    struct sum out;
    for (int i = 0; i < 5; i++) out.v[i] = vec_set(field_bias[i]);
    return out;
}

INLINE struct sum sum_select(mask m, const struct sum *a, const struct sum *b) {
    struct sum out;
    for (int i = 0; i < 5; i++) out.v[i] = vec_select(m, a->v[i], b->v[i]);
    return out;
}

// The noise above 52 bits is cut off: limbs below 2^52, the last below 2^47 + 2^13.
INLINE struct sum sum_of(const struct factor *a) {
    struct sum out;
    for (int i = 0; i < 4; i++) out.v[i] = vec_and(a->v[i], vec_set(LOW(52)));
    out.v[4] = a->v[4];
    return out;
}

// -- Factors

// Carries. What leaves limb 4 at 2^255 comes back to limb 0 as 19 times itself.
INLINE struct factor factor_of(const struct sum *a) {
    struct factor out;
    vec top = vec_claim(vec_shr(a->v[4], LIMB_TOP), LOW(17));
    vec v0 = vec_add_low(a->v[0], top, vec_set(19));
    vec v1 = vec_add(a->v[1], vec_shr(v0, 52));
    vec v2 = vec_add(a->v[2], vec_shr(v1, 52));
    vec v3 = vec_add(a->v[3], vec_shr(v2, 52));
    vec v4 = vec_add(vec_and(a->v[4], vec_set(LOW(LIMB_TOP))), vec_shr(v3, 52));
    out.v[0] = vec_factor(v0);
    out.v[1] = vec_factor(v1);
    out.v[2] = vec_factor(v2);
    out.v[3] = vec_factor(v3);
    out.v[4] = v4;
    return out;
}

INLINE struct factor factor_select(mask m, const struct factor *a, const struct factor *b) {
    struct factor out;
    for (int i = 0; i < 5; i++) out.v[i] = vec_select(m, a->v[i], b->v[i]);
    return out;
}

INLINE struct factor factor_set(const uint64_t limb[5]) {
    struct factor out;
    for (int i = 0; i < 5; i++) out.v[i] = vec_set(limb[i]);
    return out;
}

INLINE struct factor factor_small(uint64_t value) {
    const uint64_t limb[5] = {value, 0, 0, 0, 0};
    return factor_set(limb);
}

// -- Products

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

// a * b, or a * b + bias. Below 2^61.3, or 2^62.5.
INLINE struct sum factor_mul(const struct factor *a, const struct factor *b, int with_bias) {
    column c[10];
    for (int k = 0; k < 10; k++) c[k] = column_of(vec_set(0));
#pragma clang loop unroll(full)
    for (int i = 4; i >= 0; i--)
#pragma clang loop unroll(full)
        for (int j = 0; j < 5; j++) column_add_product(&c[i + j], a->v[i], b->v[j]);
    struct sum out = fold(c), bias = sum_bias();
    return with_bias ? sum_add(&out, &bias) : out;
}

// a * a, or a * a + bias.
INLINE struct sum factor_square(const struct factor *a, int with_bias) {
    column c[10];
    for (int k = 0; k < 10; k++) c[k] = column_of(vec_set(0));
#pragma clang loop unroll(full)
    for (int i = 3; i >= 0; i--)
#pragma clang loop unroll(full)
        for (int j = i + 1; j < 5; j++) column_add_product(&c[i + j], a->v[i], a->v[j]);
    columns_double(c, 1, 9);
#pragma clang loop unroll(full)
    for (int i = 4; i >= 0; i--) column_add_product(&c[2 * i], a->v[i], a->v[i]);
    struct sum out = fold(c), bias = sum_bias();
    return with_bias ? sum_add(&out, &bias) : out;
}

INLINE struct factor mul(const struct factor *a, const struct factor *b) {
    struct sum product = factor_mul(a, b, 0);
    return factor_of(&product);
}

INLINE struct factor square(const struct factor *a) {
    struct sum product = factor_square(a, 0);
    return factor_of(&product);
}

// -- Powers: `groups` independent numbers side by side, so that the next one's products begin while
// the last one's carries are under way.

#define GROUPS_MAX 4

ROUTINE void square_times(struct factor *a, int groups, int count) {
    while (count-- > 0)
        for (int g = 0; g < groups; g++) a[g] = square(&a[g]);
}

ROUTINE void mul_each(struct factor *out, const struct factor *a, const struct factor *b,
                      int groups) {
    for (int g = 0; g < groups; g++) out[g] = mul(&a[g], &b[g]);
}

// power := a squared `count` times, times b; power may be a or b.
ROUTINE void square_times_mul(struct factor *power, const struct factor *a, int count,
                              const struct factor *b, int groups) {
    struct factor t[GROUPS_MAX];
    for (int g = 0; g < groups; g++) t[g] = a[g];
    square_times(t, groups, count);
    mul_each(power, t, b, groups);
}

// a^(2^250 - 1), and a^11 in passing. x_k is a^(2^k - 1).
ROUTINE void power_250(struct factor *out, struct factor *a11, const struct factor *a, int groups) {
    struct factor a2[GROUPS_MAX], a9[GROUPS_MAX], x10[GROUPS_MAX], x50[GROUPS_MAX], t[GROUPS_MAX];
    for (int g = 0; g < groups; g++) a2[g] = square(&a[g]);
    square_times_mul(a9, a2, 2, a, groups);
    mul_each(a11, a9, a2, groups);
    square_times_mul(t, a11, 1, a9, groups);
    square_times_mul(x10, t, 5, t, groups);
    square_times_mul(t, x10, 10, x10, groups); // x_20
    square_times_mul(t, t, 20, t, groups);     // x_40
    square_times_mul(x50, t, 10, x10, groups);
    square_times_mul(t, x50, 50, x50, groups); // x_100
    square_times_mul(t, t, 100, t, groups);    // x_200
    square_times_mul(out, t, 50, x50, groups);
}

// a^(2^252 - 3): the square-root power.
ROUTINE void root_power(struct factor *out, const struct factor *a, int groups) {
    struct factor a11[GROUPS_MAX], t[GROUPS_MAX];
    power_250(t, a11, a, groups);
    square_times_mul(out, t, 2, a, groups);
}

// -- Reduced values

INLINE void propagate(vec v[5]) {
    for (int i = 0; i < 4; i++) {
        v[i + 1] = vec_add(v[i + 1], vec_shr(v[i], 52));
        v[i] = vec_and(v[i], vec_set(LOW(52)));
    }
}

// Takes what stands at 2^255 and above down to limb 0.
INLINE void wrap(vec v[5]) {
    v[0] = vec_add_low(v[0], vec_shr(v[4], LIMB_TOP), vec_set(19));
    v[4] = vec_and(v[4], vec_set(LOW(LIMB_TOP)));
    propagate(v);
}

// The number in [0, p): limbs of exactly 52 bits, the last of 47.
INLINE struct sum reduced(const struct factor *a) {
    struct sum out = sum_of(a), more;
    wrap(out.v);
    wrap(out.v);
    // Now below 2^255, and at least p exactly if 19 more reach 2^255.
    more = out;
    more.v[0] = vec_add(more.v[0], vec_set(19));
    propagate(more.v);
    mask over = vec_bit_mask(more.v[4], (uint64_t)1 << LIMB_TOP);
    more.v[4] = vec_and(more.v[4], vec_set(LOW(LIMB_TOP)));
    return sum_select(over, &more, &out);
}

INLINE mask reduced_is_zero(const struct sum *a) {
    vec any = a->v[0];
    for (int i = 1; i < 5; i++) any = vec_or(any, a->v[i]);
    return vec_zero_mask(any);
}

// Lanes where the sum is 0 modulo p.
INLINE mask is_zero(const struct sum *a) {
    struct factor carried = factor_of(a);
    struct sum value = reduced(&carried);
    return reduced_is_zero(&value);
}

// From 32 bytes: the low 255 bits, reduced or not.
INLINE struct factor factor_load(const vec word[4]) {
    const vec low = vec_set(LOW(52));
    struct factor out;
    out.v[0] = vec_and(word[0], low);
    out.v[1] = vec_and(vec_or(vec_shr(word[0], 52), vec_shl(word[1], 12)), low);
    out.v[2] = vec_and(vec_or(vec_shr(word[1], 40), vec_shl(word[2], 24)), low);
    out.v[3] = vec_and(vec_or(vec_shr(word[2], 28), vec_shl(word[3], 36)), low);
    out.v[4] = vec_and(vec_shr(word[3], 16), vec_set(LOW(LIMB_TOP)));
    return out;
}

// Words of a reduced number.
INLINE void reduced_words(const struct sum *a, vec word[4]) {
    word[0] = vec_or(a->v[0], vec_shl(a->v[1], 52));
    word[1] = vec_or(vec_shr(a->v[1], 12), vec_shl(a->v[2], 40));
    word[2] = vec_or(vec_shr(a->v[2], 24), vec_shl(a->v[3], 28));
    word[3] = vec_or(vec_shr(a->v[3], 36), vec_shl(a->v[4], 16));
}
