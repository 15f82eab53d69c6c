// Points of y^2 = x^3 + 7, one in each lane.
//
// How it differs from scalar.c. There an addition is complete; here it is the cheapest that there
// is, and the exceptions are found afterwards. Jacobian: x = X / Z^2, y = Y / Z^3. Where the two
// terms of a sum have the same x, Z becomes 0, and stays 0 whatever is added later; so one look at
// the last Z finds every lane that met an exception, and these go to the scalar row.
#pragma once
#include "lane_field.h"

struct affine {
    struct factor x, y;
};
struct jacobian {
    struct factor x, y, z;
};

// a + b. 8 products, 3 squares.
INLINE struct jacobian jacobian_add(const struct jacobian *a, const struct affine *b) {
    struct jacobian out;
    struct factor zz = square(&a->z), zzz = mul(&a->z, &zz);
    struct sum u = factor_mul(&b->x, &zz, 0), x = sum_of(&a->x);
    struct sum s = factor_mul(&b->y, &zzz, 0), y = sum_of(&a->y);
    struct factor h = minus(&u, &x), r = minus(&s, &y);
    struct factor hh = square(&h);
    struct sum hhh_sum = factor_mul(&h, &hh, 0), v = factor_mul(&a->x, &hh, 0);
    struct factor hhh = factor_of(&hhh_sum);
    out.z = mul(&a->z, &h);

    // X = r^2 - h^3 - 2 v, Y = r (v - X) - Y h^3
    struct sum rr = factor_square(&r, 1);
    rr = sum_sub(&rr, &hhh_sum);
    rr = sum_sub(&rr, &v);
    rr = sum_sub(&rr, &v);
    out.x = factor_of(&rr);
    x = sum_of(&out.x);
    struct factor t = minus(&v, &x);
    struct sum ry = factor_mul(&r, &t, 1), yh = factor_mul(&a->y, &hhh, 0);
    ry = sum_sub(&ry, &yh);
    out.y = factor_of(&ry);
    return out;
}

// 2 a. 2 products, 5 squares. With A = X^2, B = Y^2, C = B^2: D = 2 ((X + B)^2 - A - C), E = 3 A,
// X' = E^2 - 2 D, Y' = E (D - X') - 8 C, Z' = 2 Y Z.
INLINE struct jacobian jacobian_double(const struct jacobian *a) {
    struct jacobian out;
    struct sum aa = factor_square(&a->x, 0), bb = factor_square(&a->y, 0);
    struct sum e_sum = sum_add(&aa, &aa);
    e_sum = sum_add(&e_sum, &aa);
    struct factor e = factor_of(&e_sum), b = factor_of(&bb);
    struct sum cc = factor_square(&b, 0), x = sum_of(&a->x);
    bb = sum_add(&bb, &x);
    struct factor xb = factor_of(&bb);
    struct sum d_sum = factor_square(&xb, 1);
    d_sum = sum_sub(&d_sum, &aa);
    d_sum = sum_sub(&d_sum, &cc);
    d_sum = sum_add(&d_sum, &d_sum);
    struct factor d = factor_of(&d_sum);
    struct sum d1 = sum_of(&d), ee = factor_square(&e, 1);
    ee = sum_sub(&ee, &d1);
    ee = sum_sub(&ee, &d1);
    out.x = factor_of(&ee);
    x = sum_of(&out.x);
    struct factor t = minus(&d1, &x);
    struct sum y = factor_mul(&e, &t, 1);
    for (int i = 0; i < 3; i++) cc = sum_add(&cc, &cc);
    y = sum_sub(&y, &cc);
    out.y = factor_of(&y);
    struct sum z = factor_mul(&a->y, &a->z, 0);
    z = sum_add(&z, &z);
    out.z = factor_of(&z);
    return out;
}

ROUTINE void jacobian_add_to(struct jacobian *sum, const struct affine *b) {
    *sum = jacobian_add(sum, b);
}

ROUTINE void jacobian_double_times(struct jacobian *a, int count) {
    while (count-- > 0) *a = jacobian_double(a);
}

INLINE struct jacobian jacobian_of(const struct affine *a) {
    return (struct jacobian){a->x, a->y, factor_small(1)};
}

// -- Decoding

// y of x, with the parity that is asked for; the lanes where x is the coordinate of a point. Others
// have any y. x is below p.
struct lifting {
    struct factor x, cube;
};

INLINE void lifting_begin(struct lifting *at, const struct factor *x) {
    const uint64_t seven[5] = {7, 0, 0, 0, 0};
    at->x = *x;
    struct factor xx = square(x), b = factor_set(seven);
    struct sum cube = factor_mul(&xx, x, 0), seven_sum = sum_of(&b);
    cube = sum_add(&cube, &seven_sum);
    at->cube = factor_of(&cube);
}

// power is cube^((p - 3) / 4), so that cube * power is a root if there is one. No point has y = 0.
INLINE mask lifting_finish(struct affine *out, const struct lifting *at, const struct factor *power,
                           mask odd) {
    struct factor root = mul(&at->cube, power);
    struct sum check = factor_square(&root, 1), cube = sum_of(&at->cube);
    check = sum_sub(&check, &cube);
    mask valid = is_zero(&check);
    struct sum value = reduced(&root), bias = sum_bias(), opposite = sum_sub(&bias, &value);
    value = sum_select(vec_bit_mask(value.v[0], 1) ^ odd, &opposite, &value);
    out->x = at->x;
    out->y = factor_of(&value);
    return valid;
}

// Lanes where x and y are those of a point.
INLINE mask on_curve(const struct affine *a) {
    struct lifting lifting;
    lifting_begin(&lifting, &a->x);
    struct sum yy = factor_square(&a->y, 1), cube = sum_of(&lifting.cube);
    yy = sum_sub(&yy, &cube);
    return is_zero(&yy);
}
