// The point formulas over whole groups, small ones: every pair of points. Included after
// field_trials.h, sum.h and complete.h.
#pragma once
#include "small_group.h"
#include <stdio.h>

struct group_trial {
    struct inputs inputs;
    uint64_t seed, step, mismatches;
    struct probe_failure *first;
    struct small_group group;
};

static void group_disagree(struct group_trial *t, const char *what, int lane, int i, int j) {
    char text[128];
    (void)snprintf(text, sizeof text, "%s of %d, %d of %d", what, i, j, t->group.order);
    const struct finding finding = {text, t->seed, t->step, lane, NULL, NULL, NULL, NULL};
    finding_report(t->first, &finding);
    t->mismatches++;
}

// -- Values of a lane

static struct fp fp_random(struct inputs *inputs) {
    struct fp out;
    for (int i = 0; i < 4; i++) out.v[i] = inputs_next(inputs);
    out.v[0] |= 1;
    return out;
}

// With noise above 52 bits, and 0 as the prime itself sometimes.
static void factor_put(struct group_trial *t, struct factor *to, const struct fp *value, int lane) {
    uint64_t word[4], limb[5];
    truth_words(word, value);
    limbs_of_words(limb, word);
    if ((word[0] | word[1] | word[2] | word[3]) == 0 && inputs_below(&t->inputs, 2)) {
        limb[4] = (uint64_t)1 << LIMB_TOP;
        limbs_shift(limb, -(int64_t)LIMB_WRAP);
    }
    for (int i = 0; i < 4; i++) limb[i] |= limb_noise(&t->inputs);
    factor_lane_set(to, limb, lane);
}

// The lanes' values of a factor.
ROUTINE void factor_take(struct fp out[LANES], const struct factor *from) {
    struct sum value = reduced(from);
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t limb[5];
        lane_get(limb, value.v, lane);
        out[lane] = truth_of_limbs(limb);
    }
}

static int fp_is_zero(const struct fp *a) {
    const struct fp zero = {{0}};
    return fp_equal(a, &zero) != 0;
}

// -- Judging

// Whether (X, Y, Z) is k G with x = X / zx, y = Y / zy.
static int is_multiple(const struct small_group *g, int k, const struct fp *x, const struct fp *y,
                       const struct fp *zx, const struct fp *zy) {
    struct fp right_x = fp_mul(&g->x[k], zx), right_y = fp_mul(&g->y[k], zy);
    return fp_equal(x, &right_x) && fp_equal(y, &right_y);
}

// k[lane] G, or no point where k is 0; anything where k is below 0.
ROUTINE void judge_jacobian(struct group_trial *t, const char *what, const struct jacobian *point,
                            const int k[LANES], const int i[LANES], const int j[LANES]) {
    struct fp x[LANES], y[LANES], z[LANES];
    factor_take(x, &point->x);
    factor_take(y, &point->y);
    factor_take(z, &point->z);
    for (int lane = 0; lane < LANES; lane++) {
        struct fp zz = fp_square(&z[lane]), zzz = fp_mul(&zz, &z[lane]);
        int is_none = fp_is_zero(&z[lane]);
        if (k[lane] < 0) continue;
        if (k[lane] == 0
                ? !is_none
                : is_none || !is_multiple(&t->group, k[lane], &x[lane], &y[lane], &zz, &zzz))
            group_disagree(t, what, lane, i[lane], j[lane]);
    }
}

// Here the neutral element is (0 : Y : 0).
ROUTINE void judge_projective(struct group_trial *t, const struct projective *point,
                              const int i[LANES], const int j[LANES]) {
    struct fp x[LANES], y[LANES], z[LANES];
    factor_take(x, &point->x);
    factor_take(y, &point->y);
    factor_take(z, &point->z);
    for (int lane = 0; lane < LANES; lane++) {
        const int k = (i[lane] + j[lane]) % t->group.order;
        int is_none = fp_is_zero(&z[lane]);
        int is_right =
            k == 0 ? is_none && fp_is_zero(&x[lane]) && !fp_is_zero(&y[lane])
                   : !is_none && is_multiple(&t->group, k, &x[lane], &y[lane], &z[lane], &z[lane]);
        if (!is_right) group_disagree(t, "complete_add", lane, i[lane], j[lane]);
    }
}

// k[lane] G, where `lanes` says that it is to be compared.
ROUTINE void judge_affine(struct group_trial *t, const char *what, const struct affine *point,
                          const int k[LANES], uint64_t lanes, const int i[LANES],
                          const int j[LANES]) {
    const struct fp one = {{1, 0, 0, 0}};
    struct fp x[LANES], y[LANES];
    factor_take(x, &point->x);
    factor_take(y, &point->y);
    for (int lane = 0; lane < LANES; lane++)
        if ((lanes >> lane & 1) && !is_multiple(&t->group, k[lane], &x[lane], &y[lane], &one, &one))
            group_disagree(t, what, lane, i[lane], j[lane]);
}

// -- Pairs

// i G in lane `lane`, scaled by a random Z or by 1; the neutral element has any X and Y.
static void jacobian_put(struct group_trial *t, struct jacobian *to, int i, int is_plain,
                         int lane) {
    const struct fp zero = {{0}}, one = {{1, 0, 0, 0}};
    struct fp x = fp_random(&t->inputs), y = fp_random(&t->inputs), z = zero;
    if (i != 0) {
        z = is_plain ? one : fp_random(&t->inputs);
        struct fp zz = fp_square(&z), zzz = fp_mul(&zz, &z);
        x = fp_mul(&t->group.x[i], &zz);
        y = fp_mul(&t->group.y[i], &zzz);
    }
    factor_put(t, &to->x, &x, lane);
    factor_put(t, &to->y, &y, lane);
    factor_put(t, &to->z, &z, lane);
}

static void projective_put(struct group_trial *t, struct projective *to, int i, int lane) {
    const struct fp zero = {{0}};
    struct fp by = fp_random(&t->inputs), x = zero, y = by, z = zero;
    if (i != 0) {
        x = fp_mul(&t->group.x[i], &by);
        y = fp_mul(&t->group.y[i], &by);
        z = by;
    }
    factor_put(t, &to->x, &x, lane);
    factor_put(t, &to->y, &y, lane);
    factor_put(t, &to->z, &z, lane);
}

static void affine_put(struct group_trial *t, struct affine *to, int i, int lane) {
    factor_put(t, &to->x, &t->group.x[i], lane);
    factor_put(t, &to->y, &t->group.y[i], lane);
}

// Sums of a point that may be neutral and one that is not: no point where their x are the same.
ROUTINE void pairs_jacobian(struct group_trial *t, const int i[LANES], const int j[LANES],
                            int is_plain) {
    const int order = t->group.order;
    struct jacobian a;
    struct affine b;
    int sum[LANES], twice[LANES], eight[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        jacobian_put(t, &a, i[lane], is_plain, lane);
        affine_put(t, &b, j[lane], lane);
        const int meets = i[lane] == 0 || i[lane] == j[lane] || i[lane] + j[lane] == order;
        sum[lane] = meets ? 0 : (i[lane] + j[lane]) % order;
        twice[lane] = 2 * i[lane] % order;
        eight[lane] = 8 * i[lane] % order;
    }
    // One vector alone, and two abreast.
    const struct affine *const term[ABREAST] = {&b, &b};
    struct jacobian pair[ABREAST] = {a, a}, out = a;
    jacobians_add(&out, term, 1);
    judge_jacobian(t, "jacobians_add", &out, sum, i, j);
    jacobians_add(pair, term, ABREAST);
    for (int g = 0; g < ABREAST; g++)
        judge_jacobian(t, "jacobians_add abreast", &pair[g], sum, i, j);
    jacobians_add(&out, term, 1);
    for (int lane = 0; lane < LANES; lane++) {
        const int k = sum[lane];
        const int meets = k == 0 || k == j[lane] || k + j[lane] == order;
        sum[lane] = meets ? 0 : (k + j[lane]) % order;
    }
    judge_jacobian(t, "jacobians_add again", &out, sum, i, j);
    out = pair[0] = pair[1] = a;
    jacobians_double(&out, 1, 1);
    judge_jacobian(t, "jacobians_double", &out, twice, i, j);
    jacobians_double(pair, 3, ABREAST);
    for (int g = 0; g < ABREAST; g++)
        judge_jacobian(t, "jacobians_double abreast", &pair[g], eight, i, j);
}

ROUTINE void pairs_affine(struct group_trial *t, const int i[LANES], const int j[LANES]) {
    struct affine a, b;
    uint64_t lanes = 0;
    int sum[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        const int first = i[lane] == 0 ? j[lane] : i[lane];
        affine_put(t, &a, first, lane);
        affine_put(t, &b, j[lane], lane);
        sum[lane] = (first + j[lane]) % t->group.order;
        // Others have no inverse, and must leave these alone.
        lanes |= (uint64_t)(first != j[lane] && sum[lane] != 0) << lane;
    }
    struct factor d = x_difference(&a, &b), inverse;
    factor_inverse(&inverse, &d);
    affine_add(&a, &b, &inverse);
    judge_affine(t, "affine_add", &a, sum, lanes, i, j);
}

ROUTINE void pairs_complete(struct group_trial *t, const int i[LANES], const int j[LANES]) {
    struct projective a, b, out;
    for (int lane = 0; lane < LANES; lane++) {
        projective_put(t, &a, i[lane], lane);
        projective_put(t, &b, j[lane], lane);
    }
    complete_add(&out, &a, &b, 3 * t->group.b);
    judge_projective(t, &out, i, j);
}

// Every pair, several times: with Z = 1 in the first term, and with other Z.
#define SCALINGS 3

static TARGET uint64_t pairs_run(struct group_trial *t) {
    const int order = t->group.order, all = order * order;
    for (int scaling = 0; scaling < SCALINGS; scaling++)
        for (int at = 0; at < all; at += LANES) {
            int i[LANES], j[LANES], other[LANES];
            t->step++;
            for (int lane = 0; lane < LANES; lane++) {
                const int pair = at + lane < all ? at + lane : all - 1;
                i[lane] = pair / order, j[lane] = pair % order;
                other[lane] = j[lane] == 0 ? 1 : j[lane];
            }
            pairs_jacobian(t, i, other, scaling == 0);
            pairs_affine(t, i, other);
            pairs_complete(t, i, j);
        }
    return (uint64_t)(SCALINGS * all);
}
