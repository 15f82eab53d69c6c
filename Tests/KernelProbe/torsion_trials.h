// The law of curve25519 over points of small and mixed order: every pair, sums and differences.
// Included after field_trials.h and lane_point.h.
#pragma once
#include "torsion.h"
#include <stdio.h>

// Terms are m P + i T for |m| <= TERM_MOST, 0 <= i < 8.
#define TERM_MOST ((TORSION_MULTIPLES - 1) / 2)
#define TERMS     (8 * (2 * TERM_MOST + 1))

struct term {
    int m, i;
};

struct torsion_trial {
    struct inputs inputs;
    uint64_t seed, step, mismatches;
    struct probe_failure *first;
    struct torsion torsion;
    struct term a[LANES], b[LANES];
};

static void torsion_disagree(struct torsion_trial *t, const char *what, int lane) {
    char text[128];
    const struct term *a = &t->a[lane], *b = &t->b[lane];
    (void)snprintf(
        text, sizeof text, "%s of %d P + %d T, %d P + %d T", what, a->m, a->i, b->m, b->i);
    const struct finding finding = {text, t->seed, t->step, lane, NULL, NULL, NULL, NULL};
    finding_report(t->first, &finding);
    t->mismatches++;
}

// -- Values of a lane

static void factor_put(struct torsion_trial *t, struct factor *to, const struct fe *value,
                       int lane) {
    uint64_t word[4], limb[5];
    truth_words(word, value);
    limbs_of_words(limb, word);
    for (int i = 0; i < 4; i++) limb[i] |= limb_noise(&t->inputs);
    factor_lane_set(to, limb, lane);
}

ROUTINE void factor_take(struct fe out[LANES], const struct factor *from) {
    struct sum value = reduced(from);
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t limb[5];
        lane_get(limb, value.v, lane);
        out[lane] = truth_of_limbs(limb);
    }
}

static struct fe fe_random(struct inputs *inputs) {
    struct fe out;
    for (int i = 0; i < 5; i++) out.v[i] = inputs_next(inputs) & FE_MASK;
    out.v[0] |= 1;
    return out;
}

// The term in both forms, scaled by a random Z.
static void term_put(struct torsion_trial *t, struct doubler *doubler, struct adder *adder,
                     const struct term *term, int lane) {
    const struct fe z = fe_random(&t->inputs);
    struct fe x = truth_mul(torsion_x(&t->torsion, term->m, term->i), &z);
    struct fe y = truth_mul(torsion_y(&t->torsion, term->m, term->i), &z);
    struct fe sum = truth_add(&y, &x), difference = truth_sub(&y, &x);
    struct fe xy = truth_mul(torsion_x(&t->torsion, term->m, term->i), &y);
    factor_put(t, &doubler->x, &x, lane);
    factor_put(t, &doubler->y, &y, lane);
    factor_put(t, &doubler->z, &z, lane);
    factor_put(t, &adder->sum, &sum, lane);
    factor_put(t, &adder->difference, &difference, lane);
    factor_put(t, &adder->z, &z, lane);
    factor_put(t, &adder->t, &xy, lane);
}

// -- Judging

static int is_times(const struct fe *a, const struct fe *b, const struct fe *z) {
    struct fe right = truth_mul(b, z);
    return fe_equal(a, &right) != 0;
}

static int is_some(const struct fe *z) {
    const struct fe zero = fe_small(0);
    return fe_equal(z, &zero) == 0;
}

ROUTINE void judge_doubler(struct torsion_trial *t, const char *what, const struct doubler *point,
                           const struct term right[LANES]) {
    struct fe x[LANES], y[LANES], z[LANES];
    factor_take(x, &point->x);
    factor_take(y, &point->y);
    factor_take(z, &point->z);
    for (int lane = 0; lane < LANES; lane++) {
        const struct term *k = &right[lane];
        if (!is_some(&z[lane]) ||
            !is_times(&x[lane], torsion_x(&t->torsion, k->m, k->i), &z[lane]) ||
            !is_times(&y[lane], torsion_y(&t->torsion, k->m, k->i), &z[lane]))
            torsion_disagree(t, what, lane);
    }
}

ROUTINE void judge_adder(struct torsion_trial *t, const char *what, const struct adder *point,
                         const struct term right[LANES]) {
    struct fe sum[LANES], difference[LANES], z[LANES], xy[LANES];
    factor_take(sum, &point->sum);
    factor_take(difference, &point->difference);
    factor_take(z, &point->z);
    factor_take(xy, &point->t);
    for (int lane = 0; lane < LANES; lane++) {
        const struct term *k = &right[lane];
        const struct fe *x = torsion_x(&t->torsion, k->m, k->i);
        const struct fe *y = torsion_y(&t->torsion, k->m, k->i);
        struct fe more = truth_add(y, x), fewer = truth_sub(y, x), product = truth_mul(x, y);
        if (!is_some(&z[lane]) || !is_times(&sum[lane], &more, &z[lane]) ||
            !is_times(&difference[lane], &fewer, &z[lane]) ||
            !is_times(&xy[lane], &product, &z[lane]))
            torsion_disagree(t, what, lane);
    }
}

// -- Pairs

// Both terms are in their lanes; those of `negative` subtract.
ROUTINE void torsion_pairs(struct torsion_trial *t, uint64_t negative) {
    struct doubler a_doubler, b_doubler, doubler;
    struct adder a, b, out;
    struct cached cached;
    struct term sum[LANES], twice_a[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        const struct term *x = &t->a[lane], *y = &t->b[lane];
        const int by = negative >> lane & 1 ? -1 : 1;
        term_put(t, &a_doubler, &a, x, lane);
        term_put(t, &b_doubler, &b, y, lane);
        sum[lane] = (struct term){x->m + by * y->m, x->i + by * y->i};
        twice_a[lane] = (struct term){2 * x->m, 2 * x->i};
    }
    point_cache(&cached, &b);
    point_add(&out, &a, &cached, mask_from(negative));
    judge_adder(t, "point_add", &out, sum);
    point_add_last(&doubler, &a, &cached, mask_from(negative));
    judge_doubler(t, "point_add_last", &doubler, sum);

    point_double(&out, &a_doubler);
    judge_adder(t, "point_double", &out, twice_a);
    point_double_both(&doubler, &out, &a_doubler);
    judge_adder(t, "point_double_both", &out, twice_a);
    judge_doubler(t, "point_double_both", &doubler, twice_a);
    doubler = a_doubler;
    point_double_times(&doubler, 1);
    judge_doubler(t, "point_double_times", &doubler, twice_a);
}

static struct term term_of(int k) { return (struct term){k / 8 - TERM_MOST, k % 8}; }

// Every pair with both signs, in new scalings until there were enough.
TARGET static uint64_t torsion_run(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    static _Thread_local struct torsion_trial t;
    t = (struct torsion_trial){.seed = seed, .first = first};
    t.inputs.state = seed;
    if (first) *first = (struct probe_failure){0};
    torsion_make(&t.torsion);
    const int all = 2 * TERMS * TERMS;
    for (uint64_t done = 0; done == 0 || done < cases; done += (uint64_t)all)
        for (int at = 0; at < all; at += LANES) {
            uint64_t negative = 0;
            t.step++;
            for (int lane = 0; lane < LANES; lane++) {
                const int pair = at + lane < all ? at + lane : all - 1;
                t.a[lane] = term_of(pair / 2 / TERMS), t.b[lane] = term_of(pair / 2 % TERMS);
                negative |= (uint64_t)(pair & 1) << lane;
            }
            torsion_pairs(&t, negative);
        }
    return t.mismatches;
}
