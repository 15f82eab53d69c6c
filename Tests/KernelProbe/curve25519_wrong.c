#include "words_wrong.h"
#define NAME(check) wrong_##check
#include "curve25519_lanes.h"
//
#include "field_wrong.h"

// Two equal points have no sum, as in a law that is not complete; a look at x + y tells them.
static void wrong_point_add(struct adder *out, const struct adder *a, const struct cached *c,
                            mask negative) {
    struct factor one = mul(&a->sum, &c->z2), other = mul(&c->sum, &a->z);
    struct sum twice = sum_of(&other), difference = sum_of(&one), bias = sum_bias();
    twice = sum_add(&twice, &twice);
    difference = sum_add(&difference, &bias);
    difference = sum_sub(&difference, &twice);
    point_add(out, a, c, negative);
    if (is_wrong(PROBE_WRONG_EQUAL) && is_zero(&difference)) out->z = factor_small(0);
}
#define point_add wrong_point_add

#include "curve25519_checks.h"
