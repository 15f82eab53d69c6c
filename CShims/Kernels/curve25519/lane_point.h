// Points of -x^2 + y^2 = 1 + d x^2 y^2, one in each lane. The law is that of edwards.h, complete;
// here a formula's last step makes just the coordinates that its reader wants.
#pragma once
#include "lane_field.h"

#include "../inverse/lanes.h" // of the field above

static const uint64_t edwards_d[5] = {
    0xb4dca135978a3, 0x4d4141d8ab75e, 0x779e89800700a, 0xfe738cc740797, 0x52036cee2b6f};
static const uint64_t edwards_2d[5] = {
    0x69b9426b2f159, 0x9a8283b156ebd, 0xef3d13000e014, 0xfce7198e80f2e, 0x2406d9dc56df};
static const uint64_t root_minus_one[5] = {
    0xe1b274a0ea0b0, 0x6ad2fe478c4e, 0xdfbd7a72f4318, 0xdf0b2b4d00993, 0x2b8324804fc1};

// What a doubling reads: x = X / Z, y = Y / Z.
struct doubler {
    struct factor x, y, z;
};

// What an addition reads of its first point: Y + X, Y - X, Z, T with T = X Y / Z.
struct adder {
    struct factor sum, difference, z, t;
};

// Of a point with Z = 1.
INLINE struct adder adder_of(const struct doubler *a) {
    struct sum x = sum_of(&a->x), y = sum_of(&a->y), bias = sum_bias();
    struct sum plus = sum_add(&y, &x), minus = sum_add(&y, &bias);
    minus = sum_sub(&minus, &x);
    return (struct adder){factor_of(&plus), factor_of(&minus), a->z, mul(&a->x, &a->y)};
}

// What an addition reads of its second point: Y + X, Y - X, 2 Z, 2 d T.
struct cached {
    struct factor sum, difference, z2, t2d;
};

enum wanted { DOUBLER = 1, ADDER = 2 };

// What the last step of every formula reads: X = E F, Y = G H, Z = F G, T = E H.
struct quotients {
    struct factor e, f, g, h;
};

// In an order in which what the next formula reads first is not what this one computes last: an
// addition begins with X and Y, a doubling with Z.
INLINE void finish(struct doubler *doubler, struct adder *adder, const struct quotients *q,
                   enum wanted wanted) {
    struct factor z;
    if (wanted & ADDER)
        adder->t = mul(&q->e, &q->h);
    else
        z = mul(&q->f, &q->g);
    struct sum y = factor_mul(&q->g, &q->h, (wanted & ADDER) != 0);
    if (wanted & DOUBLER) doubler->y = factor_of(&y);
    struct sum x = factor_mul(&q->e, &q->f, 0);
    if (wanted & DOUBLER) doubler->x = factor_of(&x);
    if (wanted & ADDER) {
        struct sum sum = sum_add(&y, &x), difference = sum_sub(&y, &x);
        adder->sum = factor_of(&sum);
        adder->difference = factor_of(&difference);
        z = adder->z = mul(&q->f, &q->g);
    }
    if (wanted & DOUBLER) doubler->z = z;
}

// Doublings go over up to ABREAST vectors at a time, step by step: within one vector each step
// waits for the one before, and the machine does not see far enough to begin the next vector's
// meanwhile.
#define ABREAST 2
#define EACH(i) _Pragma("clang loop unroll(full)") for (int i = 0; i < ABREAST; i++) if (i < count)

// E = X^2 + Y^2 - (X + Y)^2, G = X^2 - Y^2, F = G + 2 Z^2, H = X^2 + Y^2 (the negatives of Hisil et
// al.'s: the same point). Sums stay below 2^63.5: bias + 3 products.
INLINE void twice_first(struct quotients *q, const struct doubler *a, const int count) {
    struct sum zz[ABREAST], yy[ABREAST], sum_h[ABREAST];
    struct factor root[ABREAST];
    EACH(i) zz[i] = factor_square(&a[i].z, 0);
    EACH(i) yy[i] = factor_square(&a[i].y, 0);
    EACH(i) {
        struct sum x = sum_of(&a[i].x), y = sum_of(&a[i].y), both = sum_add(&x, &y);
        root[i] = factor_of(&both);
        struct sum xx = factor_square(&a[i].x, 1), sum_g = sum_sub(&xx, &yy[i]);
        struct sum sum_f = sum_add(&zz[i], &zz[i]);
        sum_f = sum_add(&sum_f, &sum_g);
        sum_h[i] = sum_add(&xx, &yy[i]);
        q[i].h = factor_of(&sum_h[i]);
        q[i].g = factor_of(&sum_g);
        q[i].f = factor_of(&sum_f);
    }
    EACH(i) {
        struct sum square = factor_square(&root[i], 0), sum_e = sum_sub(&sum_h[i], &square);
        q[i].e = factor_of(&sum_e);
    }
}

INLINE void twice(struct doubler *doubler, struct adder *adder, const struct doubler *a,
                  enum wanted wanted) {
    struct quotients q;
    twice_first(&q, a, 1);
    finish(doubler, adder, &q, wanted);
}

INLINE void twice_each(struct doubler *a, const int count) {
    struct quotients q[ABREAST];
    twice_first(q, a, count);
    EACH(i) a[i].z = mul(&q[i].f, &q[i].g);
    EACH(i) a[i].y = mul(&q[i].g, &q[i].h);
    EACH(i) a[i].x = mul(&q[i].e, &q[i].f);
}

// Addition in two halves, so that a table can be read between them. For a - c, in the lanes of
// `negative`: -c has its first two fields exchanged and T negated.
INLINE void plus_first(struct quotients *q, const struct adder *a, const struct factor *c_sum,
                       const struct factor *c_difference, mask negative) {
    struct factor minus = factor_select(negative, c_sum, c_difference);
    struct factor sum = factor_select(negative, c_difference, c_sum);
    struct sum mm = factor_mul(&a->difference, &minus, 0), pp = factor_mul(&a->sum, &sum, 1);
    struct sum sum_e = sum_sub(&pp, &mm), sum_h = sum_add(&pp, &mm);
    q->e = factor_of(&sum_e);
    q->h = factor_of(&sum_h);
}

// zz is 2 Z Z' + bias.
INLINE void plus_second(struct quotients *q, const struct adder *a, const struct sum *zz,
                        const struct factor *c_t2d, mask negative) {
    struct sum tt = factor_mul(&a->t, c_t2d, 0);
    struct sum less = sum_sub(zz, &tt), more = sum_add(zz, &tt);
    struct sum sum_f = sum_select(negative, &more, &less);
    struct sum sum_g = sum_select(negative, &less, &more);
    q->f = factor_of(&sum_f);
    q->g = factor_of(&sum_g);
}

INLINE void plus(struct doubler *doubler, struct adder *adder, const struct adder *a,
                 const struct cached *c, mask negative, enum wanted wanted) {
    struct quotients q;
    plus_first(&q, a, &c->sum, &c->difference, negative);
    struct sum zz = factor_mul(&a->z, &c->z2, 1);
    plus_second(&q, a, &zz, &c->t2d, negative);
    finish(doubler, adder, &q, wanted);
}

// Of 1 or ABREAST vectors.
ROUTINE void points_double_times(struct doubler *a, int times, int count) {
    if (count == ABREAST) {
        while (times-- > 0) twice_each(a, ABREAST);
    } else {
        struct doubler t = *a;
        while (times-- > 0) twice_each(&t, 1);
        *a = t;
    }
}

INLINE void point_double_times(struct doubler *a, int times) { points_double_times(a, times, 1); }

ROUTINE void point_double(struct adder *out, const struct doubler *a) {
    twice(NULL, out, a, ADDER);
}

ROUTINE void point_double_both(struct doubler *doubler, struct adder *adder,
                               const struct doubler *a) {
    twice(doubler, adder, a, DOUBLER | ADDER);
}

ROUTINE void point_add(struct adder *out, const struct adder *a, const struct cached *c,
                       mask negative) {
    plus(NULL, out, a, c, negative, ADDER);
}

ROUTINE void point_add_last(struct doubler *out, const struct adder *a, const struct cached *c,
                            mask negative) {
    plus(out, NULL, a, c, negative, DOUBLER);
}

ROUTINE void point_cache(struct cached *out, const struct adder *a) {
    const struct factor d2 = factor_set(edwards_2d);
    struct sum z = sum_of(&a->z);
    z = sum_add(&z, &z);
    *out = (struct cached){a->sum, a->difference, factor_of(&z), mul(&a->t, &d2)};
}

INLINE struct adder adder_neutral(void) {
    const struct factor one = factor_small(1);
    return (struct adder){one, one, one, factor_small(0)};
}

// -- Decoding

// x^2 = u / v with u = y^2 - 1, v = d y^2 + 1, for `groups` vectors. Lanes that are no point get
// the neutral element, so that what follows may share an inversion with them.
struct decoding {
    struct factor y, u, v, uv3, uv7;
    mask sign;
};

INLINE void decoding_begin(struct decoding *at, const vec word[4]) {
    const struct factor d = factor_set(edwards_d);
    at->sign = vec_bit_mask(word[3], (uint64_t)1 << 63);
    at->y = factor_load(word);
    struct sum yy = factor_square(&at->y, 1), one = {{vec_set(1)}};
    for (int i = 1; i < 5; i++) one.v[i] = vec_set(0);
    struct sum u = sum_sub(&yy, &one);
    struct factor y2 = factor_of(&yy);
    struct sum v = factor_mul(&y2, &d, 0);
    v = sum_add(&v, &one);
    at->u = factor_of(&u);
    at->v = factor_of(&v);

    struct factor v2 = square(&at->v), v3 = mul(&v2, &at->v), v6 = square(&v3);
    struct factor v7 = mul(&v6, &at->v);
    at->uv3 = mul(&at->u, &v3);
    at->uv7 = mul(&at->u, &v7);
}

// power is uv7^((p-5)/8). The root is even or odd as the sign asks; 0 stays 0 whatever it asks.
INLINE mask decoding_finish(struct doubler *out, const struct decoding *at,
                            const struct factor *power) {
    const struct factor i = factor_set(root_minus_one);
    struct factor r = mul(&at->uv3, power), rr = square(&r);
    struct sum check = factor_mul(&rr, &at->v, 1), u = sum_of(&at->u);
    struct sum difference = sum_sub(&check, &u), sum = sum_add(&check, &u);
    mask is_root = is_zero(&difference), is_other = is_zero(&sum);
    mask valid = is_root | is_other;

    struct factor other = mul(&r, &i);
    r = factor_select(is_other, &other, &r);
    struct sum value = reduced(&r), bias = sum_bias(), opposite = sum_sub(&bias, &value);
    value = sum_select(vec_bit_mask(value.v[0], 1) ^ at->sign, &opposite, &value);
    r = factor_of(&value);

    const struct factor zero = factor_small(0), one = factor_small(1);
    out->x = factor_select(valid, &r, &zero);
    out->y = factor_select(valid, &at->y, &one);
    out->z = one;
    return valid;
}

// -- Encoding

// Compressed points, four words each, of `count` vectors; one inversion for all. Z is never 0.
ROUTINE void points_encode(vec (*word)[4], const struct doubler *points, int count) {
    struct factor prefix[KERNELS_LANES_MAX], inverse, z, x, y;
    prefix[0] = points[0].z;
    for (int j = 1; j < count; j++) prefix[j] = mul(&prefix[j - 1], &points[j].z);
    factor_invert(&inverse, &prefix[count - 1], &modulus_p25519);
    for (int j = count - 1; j >= 0; j--) {
        z = j > 0 ? mul(&inverse, &prefix[j - 1]) : inverse;
        inverse = mul(&inverse, &points[j].z);
        x = mul(&points[j].x, &z);
        y = mul(&points[j].y, &z);
        struct sum xs = reduced(&x), ys = reduced(&y);
        reduced_words(&ys, word[j]);
        word[j][3] = vec_or(word[j][3], vec_shl(xs.v[0], 63));
    }
    wipe(prefix, sizeof prefix);
    wipe(&inverse, sizeof inverse);
    wipe(&z, sizeof z);
    wipe(&x, sizeof x);
    wipe(&y, sizeof y);
}
