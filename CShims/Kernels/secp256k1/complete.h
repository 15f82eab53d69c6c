// Complete addition over the lane vocabulary: right for any two points, equal or opposite ones and
// the neutral element too. Additions of this kind are rare, so every step ends in a factor.
#pragma once
#include "lane_field.h"

INLINE struct factor plus(const struct factor *a, const struct factor *b) {
    struct sum x = sum_of(a), y = sum_of(b), value = sum_add(&x, &y);
    return factor_of(&value);
}

INLINE struct factor less(const struct factor *a, const struct factor *b) {
    struct sum x = sum_of(a), y = sum_of(b);
    return minus(&x, &y);
}

// x = X / Z, y = Y / Z; (0, 1, 0) is the neutral element.
struct projective {
    struct factor x, y, z;
};

// Complete addition for a = 0 and b = b_times_3 / 3 (Renes, Costello, Batina, 2016, algorithm 7).
INLINE void complete_add(struct projective *out, const struct projective *a,
                         const struct projective *b, uint64_t b_times_3) {
    const struct factor b3 = factor_small(b_times_3);
    struct factor xx = mul(&a->x, &b->x), yy = mul(&a->y, &b->y), zz = mul(&a->z, &b->z);
    struct factor s, t, xy, yz, xz;
    s = plus(&a->x, &a->y), t = plus(&b->x, &b->y), xy = mul(&s, &t);
    s = plus(&xx, &yy), xy = less(&xy, &s); // x1 y2 + x2 y1
    s = plus(&a->y, &a->z), t = plus(&b->y, &b->z), yz = mul(&s, &t);
    s = plus(&yy, &zz), yz = less(&yz, &s); // y1 z2 + y2 z1
    s = plus(&a->x, &a->z), t = plus(&b->x, &b->z), xz = mul(&s, &t);
    s = plus(&xx, &zz), xz = less(&xz, &s); // x1 z2 + x2 z1

    struct factor xx3 = plus(&xx, &xx), zz_b3 = mul(&b3, &zz), xz_b3 = mul(&b3, &xz);
    xx3 = plus(&xx3, &xx);
    struct factor more = plus(&yy, &zz_b3), fewer = less(&yy, &zz_b3);
    s = mul(&xy, &fewer), t = mul(&yz, &xz_b3), out->x = less(&s, &t);
    s = mul(&fewer, &more), t = mul(&xz_b3, &xx3), out->y = plus(&s, &t);
    s = mul(&more, &yz), t = mul(&xx3, &xy), out->z = plus(&s, &t);
}

ROUTINE void projective_add(struct projective *out, const struct projective *a,
                            const struct projective *b) {
    complete_add(out, a, b, 21);
}
