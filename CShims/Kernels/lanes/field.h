// A prime field over the lane vocabulary: five limbs of 52 bits, one number in each lane.
//
// Whoever includes this has said which field:
//   LIMB_TOP          bits of limb 4 in a number below 2^(208 + LIMB_TOP), which is about the prime
//   LIMB_WRAP         what 2^(208 + LIMB_TOP) is worth
//   field_bias        a multiple of the prime with limbs near 2^61.6: added to what something is
//                     subtracted from
//   fold()            brings columns 5..9 of a product down
//
// How it differs from the scalar fields. A multiplier here reads only the low 52 bits of a limb, so
// a limb is not masked before it is multiplied, and sums are not carried before they are added.
// Hence two types, which the compiler keeps apart:
//   struct factor  what a product takes. Limbs 0..3 count modulo 2^52, what stands above is noise;
//                  limb 4 is below 2^LIMB_TOP + 2^13 and counts whole.
//   struct sum     what a product or a sum is. Every bit counts; limbs are below 2^64.
// factor_of() carries a sum, once. lanes/interval.h proves the bounds given here for every input.
#pragma once

struct factor {
    vec v[5];
};
struct sum {
    vec v[5];
};

#define LOW(bits) (((uint64_t)1 << (bits)) - 1)

static const uint64_t field_bias[5];
INLINE struct sum fold(const column columns[10]);

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

// The noise above 52 bits is cut off: limbs below 2^52, the last below 2^LIMB_TOP + 2^13.
INLINE struct sum sum_of(const struct factor *a) {
    struct sum out;
    for (int i = 0; i < 4; i++) out.v[i] = vec_and(a->v[i], vec_set(LOW(52)));
    out.v[4] = a->v[4];
    return out;
}

// -- Factors

// Carries. What leaves limb 4 at the top comes back to limb 0 as LIMB_WRAP times itself.
INLINE struct factor factor_of(const struct sum *a) {
    struct factor out;
    vec top = vec_claim(vec_shr(a->v[4], LIMB_TOP), LOW(64 - LIMB_TOP));
    vec v0 = vec_add_low(a->v[0], top, vec_set(LIMB_WRAP));
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
//
// vecs_hold() stands before and after the work of a product. Left to itself the compiler begins the
// next product while this one is unfinished, has no registers for both, and stores what it cannot
// hold. The machine finds what it can do early by itself, and stores are not free.

// a * b, or a * b + bias.
INLINE struct sum factor_mul(const struct factor *a_in, const struct factor *b_in, int with_bias) {
    struct factor a = *a_in, b = *b_in;
    column c[10];
    vecs_hold(a.v);
    vecs_hold(b.v);
    for (int k = 0; k < 10; k++) c[k] = column_of(vec_set(0));
#pragma clang loop unroll(full)
    for (int i = 4; i >= 0; i--)
#pragma clang loop unroll(full)
        for (int j = 0; j < 5; j++) column_add_product(&c[i + j], a.v[i], b.v[j]);
    struct sum out = fold(c), bias = sum_bias();
    vecs_hold(out.v);
    return with_bias ? sum_add(&out, &bias) : out;
}

// a * a, or a * a + bias.
INLINE struct sum factor_square(const struct factor *a_in, int with_bias) {
    struct factor a = *a_in;
    column c[10];
    vecs_hold(a.v);
    for (int k = 0; k < 10; k++) c[k] = column_of(vec_set(0));
#pragma clang loop unroll(full)
    for (int i = 3; i >= 0; i--)
#pragma clang loop unroll(full)
        for (int j = i + 1; j < 5; j++) column_add_product(&c[i + j], a.v[i], a.v[j]);
    columns_double(c, 1, 9);
#pragma clang loop unroll(full)
    for (int i = 4; i >= 0; i--) column_add_product(&c[2 * i], a.v[i], a.v[i]);
    struct sum out = fold(c), bias = sum_bias();
    vecs_hold(out.v);
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

// -- Reduced values

INLINE void propagate(vec v[5]) {
    for (int i = 0; i < 4; i++) {
        v[i + 1] = vec_add(v[i + 1], vec_shr(v[i], 52));
        v[i] = vec_and(v[i], vec_set(LOW(52)));
    }
}

// Takes what stands above the top down to limb 0.
INLINE void wrap(vec v[5]) {
    v[0] = vec_add_low(v[0], vec_shr(v[4], LIMB_TOP), vec_set(LIMB_WRAP));
    v[4] = vec_and(v[4], vec_set(LOW(LIMB_TOP)));
    propagate(v);
}

// The number below the prime: limbs of exactly 52 bits, the last of LIMB_TOP.
INLINE struct sum reduced(const struct factor *a) {
    struct sum out = sum_of(a), more;
    wrap(out.v);
    wrap(out.v);
    // Now below the top, and at least the prime exactly if LIMB_WRAP more reach the top.
    more = out;
    more.v[0] = vec_add(more.v[0], vec_set(LIMB_WRAP));
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

// From four words: the low 208 + LIMB_TOP bits, reduced or not.
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
