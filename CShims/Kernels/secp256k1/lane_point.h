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

// Formulas go over up to ABREAST vectors at a time, step by step: within one vector each step waits
// for the one before, and the machine does not see far enough to begin the next vector's meanwhile.
#define ABREAST 2
#define EACH(g) for (int g = 0; g < count; g++)

// a[g] += b[g]. 8 products, 3 squares.
INLINE void jacobian_add_each(struct jacobian *a, const struct affine *const *b, const int count) {
    struct factor zz[ABREAST], zzz[ABREAST], h[ABREAST], r[ABREAST], hh[ABREAST], hhh[ABREAST];
    struct factor t[ABREAST];
    struct sum v[ABREAST], hhh_sum[ABREAST];
    EACH(g) zz[g] = square(&a[g].z);
    EACH(g) {
        struct sum u = factor_mul(&b[g]->x, &zz[g], 0), x = sum_of(&a[g].x);
        h[g] = minus(&u, &x);
        zzz[g] = mul(&a[g].z, &zz[g]);
    }
    EACH(g) {
        struct sum s = factor_mul(&b[g]->y, &zzz[g], 0), y = sum_of(&a[g].y);
        r[g] = minus(&s, &y);
        hh[g] = square(&h[g]);
        a[g].z = mul(&a[g].z, &h[g]);
    }
    // X = r^2 - h^3 - 2 v, Y = r (v - X) - Y h^3
    EACH(g) {
        hhh_sum[g] = factor_mul(&h[g], &hh[g], 0);
        v[g] = factor_mul(&a[g].x, &hh[g], 0);
        hhh[g] = factor_of(&hhh_sum[g]);
        struct sum x = factor_square(&r[g], 1);
        x = sum_sub(&x, &hhh_sum[g]);
        x = sum_sub(&x, &v[g]);
        x = sum_sub(&x, &v[g]);
        a[g].x = factor_of(&x);
        x = sum_of(&a[g].x);
        t[g] = minus(&v[g], &x);
    }
    EACH(g) {
        struct sum y = factor_mul(&r[g], &t[g], 1), yh = factor_mul(&a[g].y, &hhh[g], 0);
        y = sum_sub(&y, &yh);
        a[g].y = factor_of(&y);
    }
}

// a[g] *= 2. 2 products, 5 squares. With A = X^2, B = Y^2, C = B^2: D = 2 ((X + B)^2 - A - C),
// E = 3 A, X' = E^2 - 2 D, Y' = E (D - X') - 8 C, Z' = 2 Y Z.
INLINE void jacobian_double_each(struct jacobian *a, const int count) {
    struct factor e[ABREAST], b[ABREAST], xb[ABREAST], t[ABREAST];
    struct sum aa[ABREAST], cc[ABREAST], d[ABREAST];
    EACH(g) {
        struct sum bb = factor_square(&a[g].y, 0), x = sum_of(&a[g].x);
        b[g] = factor_of(&bb);
        bb = sum_add(&bb, &x);
        xb[g] = factor_of(&bb);
        aa[g] = factor_square(&a[g].x, 0);
        struct sum e_sum = sum_add(&aa[g], &aa[g]);
        e_sum = sum_add(&e_sum, &aa[g]);
        e[g] = factor_of(&e_sum);
    }
    EACH(g) {
        cc[g] = factor_square(&b[g], 0);
        struct sum d_sum = factor_square(&xb[g], 1);
        d_sum = sum_sub(&d_sum, &aa[g]);
        d_sum = sum_sub(&d_sum, &cc[g]);
        d_sum = sum_add(&d_sum, &d_sum);
        struct factor d_factor = factor_of(&d_sum);
        d[g] = sum_of(&d_factor);
    }
    EACH(g) {
        struct sum x = factor_square(&e[g], 1);
        x = sum_sub(&x, &d[g]);
        x = sum_sub(&x, &d[g]);
        a[g].x = factor_of(&x);
        x = sum_of(&a[g].x);
        t[g] = minus(&d[g], &x);
        struct sum z = factor_mul(&a[g].y, &a[g].z, 0);
        z = sum_add(&z, &z);
        a[g].z = factor_of(&z);
    }
    EACH(g) {
        struct sum y = factor_mul(&e[g], &t[g], 1);
        for (int i = 0; i < 3; i++) cc[g] = sum_add(&cc[g], &cc[g]);
        y = sum_sub(&y, &cc[g]);
        a[g].y = factor_of(&y);
    }
}

// Of 1 or ABREAST vectors.
ROUTINE void jacobians_add(struct jacobian *a, const struct affine *const *b, int count) {
    if (count == ABREAST)
        jacobian_add_each(a, b, ABREAST);
    else
        jacobian_add_each(a, b, 1);
}

ROUTINE void jacobians_double(struct jacobian *a, int times, int count) {
    while (times-- > 0) {
        if (count == ABREAST)
            jacobian_double_each(a, ABREAST);
        else
            jacobian_double_each(a, 1);
    }
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
