// Numbers modulo n, the order of secp256k1, one in each lane.
//
// n = 2^256 - c with c of 129 bits, so a product's upper half comes down in two steps. Limbs are
// carried after each operation: of exactly 52 bits, the last below 2^49. "Weak" is a value below
// 2^256 + 2^135; order_reduced() brings it below n. These are few operations beside those of a
// point, so they are written for the reader.
#pragma once
#include "lane_field.h"

struct order {
    vec v[5];
};

#define ORDER_TOP 48 // bits of limb 4 in a number below 2^256

// 2^256 - n, and 16 times that: what 2^256 and 2^260 are worth.
static const uint64_t order_256[3] = {0xda1732fc9bebf, 0x1950b75fc4402, 0x1455123};
static const uint64_t order_260[3] = {0xa1732fc9bebf0, 0x950b75fc4402d, 0x14551231};
static const uint64_t order_limb[5] = {
    0x25e8cd0364141, 0xe6af48a03bbfd, 0xffffffebaaedc, 0xfffffffffffff, 0xffffffffffff};
// 4 n, in limbs that no limb of a weak number is above.
static const uint64_t order_bias[5] = {
    0x297a3340d90504, 0x29abd2280eeff2, 0x2ffffffaeabb71, 0x2ffffffffffffd, 0x3fffffffffffd};
// 2^256 - (n + 1) / 2: a number from (n + 1) / 2 on reaches 2^256 with it.
static const uint64_t order_half[5] = {
    0x6d0b997e4df5f, 0x8ca85bafe2201, 0xa2a891, 0, 0x800000000000};

// Brings limbs 0..count-2 below 2^52.
INLINE void order_carry(vec *t, int count) {
    for (int i = 0; i < count - 1; i++) {
        t[i + 1] = vec_add(t[i + 1], vec_shr(t[i], 52));
        t[i] = vec_and(t[i], vec_set(LOW(52)));
    }
}

// t += high * 2^260, for `count` limbs of high; t has room for count + 3 limbs and those above the
// fifth are not in use.
INLINE void order_fold(vec *t, const vec *high, int count) {
    for (int i = 0; i < count; i++) {
        vec limb = vec_factor(high[i]);
        for (int k = 0; k < 3; k++) {
            t[i + k] = vec_add_low(t[i + k], limb, vec_set(order_260[k]));
            t[i + k + 1] = vec_add_high(t[i + k + 1], limb, vec_set(order_260[k]));
        }
    }
}

// From five limbs below 2^57 to a weak number.
INLINE struct order order_weak(vec t[5]) {
    struct order out;
    order_carry(t, 5);
    vec top = vec_claim(vec_shr(t[4], ORDER_TOP), LOW(13));
    t[4] = vec_and(t[4], vec_set(LOW(ORDER_TOP)));
    for (int k = 0; k < 3; k++) {
        t[k] = vec_add_low(t[k], top, vec_set(order_256[k]));
        t[k + 1] = vec_add_high(t[k + 1], top, vec_set(order_256[k]));
    }
    order_carry(t, 5);
    for (int i = 0; i < 5; i++) out.v[i] = t[i];
    return out;
}

// The product's ten limbs, carried.
INLINE void order_product(vec c[10], const struct order *a, const struct order *b) {
    column columns[10];
    for (int k = 0; k < 10; k++) columns[k] = column_of(vec_set(0));
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) column_add_product(&columns[i + j], a->v[i], b->v[j]);
    columns_settle(columns, 10, c);
    order_carry(c, 10);
}

INLINE struct order order_mul(const struct order *a, const struct order *b) {
    vec c[10], t[8], none = vec_set(0);
    order_product(c, a, b);

    // 512 bits to 386, then to 261.
    for (int k = 0; k < 8; k++) t[k] = k < 5 ? c[k] : none;
    order_fold(t, c + 5, 5);
    order_carry(t, 8);
    vec s[6] = {t[0], t[1], t[2], t[3], t[4], none};
    order_fold(s, t + 5, 3);
    // Limb 7 is below 2^20 and order_260[2] below 2^29: no product reaches column 5.
    return order_weak(s);
}

INLINE struct order order_add(const struct order *a, const struct order *b) {
    vec t[5];
    for (int i = 0; i < 5; i++) t[i] = vec_add(a->v[i], b->v[i]);
    return order_weak(t);
}

INLINE struct order order_negative(const struct order *a) {
    vec t[5];
    for (int i = 0; i < 5; i++) t[i] = vec_sub(vec_set(order_bias[i]), a->v[i]);
    return order_weak(t);
}

INLINE struct order order_select(mask m, const struct order *a, const struct order *b) {
    struct order out;
    for (int i = 0; i < 5; i++) out.v[i] = vec_select(m, a->v[i], b->v[i]);
    return out;
}

// Lanes where a + constant reaches 2^256; t is what is left of the sum.
INLINE mask order_reaches(vec t[5], const struct order *a, const uint64_t *constant, int limbs) {
    for (int i = 0; i < 5; i++) {
        t[i] = a->v[i];
        if (i < limbs) t[i] = vec_add(t[i], vec_set(constant[i]));
    }
    order_carry(t, 5);
    vec over = vec_shr(t[4], ORDER_TOP);
    t[4] = vec_and(t[4], vec_set(LOW(ORDER_TOP)));
    return vec_bit_mask(over, 1) | vec_bit_mask(over, 2);
}

// The number in [0, n), of a weak one: that is below 2 n.
INLINE struct order order_reduced(const struct order *a) {
    struct order less;
    mask over = order_reaches(less.v, a, order_256, 3);
    return order_select(over, &less, a);
}

// Lanes where a reduced number is in the upper half.
INLINE mask order_is_high(const struct order *a) {
    vec t[5];
    return order_reaches(t, a, order_half, 5);
}

INLINE mask order_is_zero(const struct order *a) {
    vec any = a->v[0];
    for (int i = 1; i < 5; i++) any = vec_or(any, a->v[i]);
    return vec_zero_mask(any);
}

// From four words, and to them; any number of 256 bits is weak.
INLINE struct order order_load(const vec word[4]) {
    struct factor limbs = factor_load(word);
    struct order out;
    for (int i = 0; i < 5; i++) out.v[i] = limbs.v[i];
    return out;
}

INLINE void order_words(const struct order *reduced, vec word[4]) {
    struct sum limbs;
    for (int i = 0; i < 5; i++) limbs.v[i] = reduced->v[i];
    reduced_words(&limbs, word);
}

// -- Inverses modulo n

// As factor_invert() of inverse/lanes.h: 0 for 0, and other lanes are not disturbed.
ROUTINE void order_inverse(struct order *out, const struct order *a) {
    const struct factor none = factor_small(0), unit = factor_small(1);
    struct order zero, one, product = order_reduced(a), others, partner;
    vec word[4];
    uint64_t number[4];
    memcpy(zero.v, none.v, sizeof zero.v);
    memcpy(one.v, unit.v, sizeof one.v);
    const mask is_zero = order_is_zero(&product);
    product = order_select(is_zero, &one, &product);
    others = one;
    for (int distance = 1; distance < LANES; distance *= 2) {
        for (int i = 0; i < 5; i++) partner.v[i] = vec_exchange(product.v[i], distance);
        others = order_mul(&others, &partner);
        product = order_mul(&product, &partner);
    }
    product = order_reduced(&product);
    order_words(&product, word);
    for (int i = 0; i < 4; i++) number[i] = vec_first(word[i]);
    inverse(number, number, &modulus_secp256k1_order);
    for (int i = 0; i < 4; i++) word[i] = vec_spread(number[i]);
    product = order_load(word);
    product = order_mul(&product, &others);
    *out = order_select(is_zero, &zero, &product);
    wipe(&product, sizeof product);
    wipe(&others, sizeof others);
    wipe(&partner, sizeof partner);
    wipe(word, sizeof word);
    wipe(number, sizeof number);
}

// out[j] := 1 / in[j], all with one inversion; no lane is 0. out is not in.
ROUTINE void orders_inverse(struct order *out, const struct order *in, int vectors) {
    struct order product = in[0];
    for (int j = 1; j < vectors; j++) {
        out[j] = product;
        product = order_mul(&product, &in[j]);
    }
    order_inverse(&product, &product);
    for (int j = vectors - 1; j > 0; j--) {
        out[j] = order_mul(&out[j], &product);
        product = order_mul(&product, &in[j]);
    }
    out[0] = product;
    wipe(&product, sizeof product);
}
