// Random programs over the lane field against the scalar one. Included after a vocabulary, the lane
// field and its truth.
//
// Registers hold factors and sums as wide as their types allow, and the truth of every lane beside
// them. A step computes one register from others in all lanes, and each lane is a case. What a step
// must not be given, a sum past 2^64 or a difference below zero, is brought within bounds first.
#pragma once
#include "limbs.h"

#define REGISTERS 6
// What factor_of() can add to a limb must not carry out of it.
#define LIMB_MOST (~(uint64_t)0 - ((uint64_t)1 << 53))

struct trial {
    struct inputs inputs;
    uint64_t seed, step, mismatches;
    struct probe_failure *first;
    struct factor factor[REGISTERS];
    struct sum sum[REGISTERS];
    truth of_factor[REGISTERS][LANES], of_sum[REGISTERS][LANES];
};

// -- Limbs of a lane

static void lane_get(uint64_t limb[5], const vec v[5], int lane) {
    for (int i = 0; i < 5; i++) memcpy(&limb[i], (const uint8_t *)&v[i] + 8 * lane, sizeof limb[i]);
}

static void lane_set(vec v[5], const uint64_t limb[5], int lane) {
    for (int i = 0; i < 5; i++) memcpy((uint8_t *)&v[i] + 8 * lane, &limb[i], sizeof limb[i]);
}

// Says of limbs 0..3 that their low 52 bits count, as whoever makes a factor does.
ROUTINE void factor_lane_set(struct factor *to, const uint64_t limb[5], int lane) {
    vec v[5];
    uint64_t said[5];
    for (int i = 0; i < 4; i++) v[i] = vec_factor(vec_set(limb[i]));
    v[4] = vec_set(limb[4]);
    lane_get(said, v, lane);
    lane_set(to->v, said, lane);
}

static truth truth_of_limbs(const uint64_t limb[5]) {
    const truth step = truth_of_limb((uint64_t)1 << 52);
    truth value = truth_of_limb(limb[4]);
    for (int i = 3; i >= 0; i--) {
        truth next = truth_of_limb(limb[i]);
        value = truth_mul(&value, &step);
        value = truth_add(&value, &next);
    }
    return value;
}

// 0 or the prime, or 2^(208 + LIMB_TOP), and a bit more or less; reduced limbs.
static void limbs_near(struct inputs *inputs, uint64_t limb[5]) {
    const uint64_t style = inputs_below(inputs, 3);
    memset(limb, 0, 5 * sizeof *limb);
    limb[4] = style > 0 ? (uint64_t)1 << LIMB_TOP : 0;
    if (style == 1) limbs_shift(limb, -(int64_t)LIMB_WRAP);
    limbs_shift(limb, (int64_t)inputs_below(inputs, 20) - (style > 0 ? 10 : 0));
}

static void factor_limbs(struct inputs *inputs, uint64_t limb[5]) {
    const uint64_t most = LOW(LIMB_TOP) + ((uint64_t)1 << 13);
    uint64_t word[4];
    switch (inputs_below(inputs, 4)) {
    case 0:
        limbs_near(inputs, limb);
        for (int i = 0; i < 4; i++) limb[i] |= limb_noise(inputs);
        break;
    case 1:
        words_wide(inputs, word);
        limbs_of_words(limb, word);
        limb[4] &= LOW(LIMB_TOP);
        break;
    default:
        for (int i = 0; i < 4; i++) limb[i] = limb_noisy(inputs);
        limb[4] = limb_below(inputs, most);
    }
}

static void sum_limbs(struct inputs *inputs, uint64_t limb[5]) {
    const uint64_t many = inputs_below(inputs, 4000);
    if (inputs_below(inputs, 4) > 0) {
        for (int i = 0; i < 5; i++) limb[i] = limb_below(inputs, LIMB_MOST);
        return;
    }
    // A multiple of the prime, not carried, and a bit more; or parts of a limb in the one below.
    limb[0] = many * (LIMB_ONES + 1 - LIMB_WRAP) + inputs_below(inputs, 3);
    for (int i = 1; i < 4; i++) limb[i] = many * LIMB_ONES;
    limb[4] = many * LOW(LIMB_TOP);
    for (int i = 0; i < 4; i++) {
        uint64_t part = inputs_below(inputs, 90);
        if (limb[i + 1] < part) continue;
        limb[i + 1] -= part;
        limb[i] += part << 52;
        limb[i + 1] += limb[i] > LIMB_MOST ? part : 0;
        limb[i] -= limb[i] > LIMB_MOST ? part << 52 : 0;
    }
}

// -- Judging

static void disagree(struct trial *t, const char *what, int lane, const vec a[5], const vec b[5],
                     const uint64_t *found, const truth *expected) {
    uint64_t limbs[2][5], word[4], right[5];
    if (a) lane_get(limbs[0], a, lane);
    if (b) lane_get(limbs[1], b, lane);
    truth_words(word, expected);
    limbs_of_words(right, word);
    const struct finding finding = {
        what, t->seed, t->step, lane, a ? limbs[0] : NULL, b ? limbs[1] : NULL, found, right};
    finding_report(t->first, &finding);
    t->mismatches++;
}

// Whether the lanes' reduced values are the truth.
ROUTINE void judge_reduced(struct trial *t, const char *what, const struct sum *value,
                           const truth *expected, const vec a[5], const vec b[5]) {
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t word[4], right[5], found[5];
        truth_words(word, &expected[lane]);
        limbs_of_words(right, word);
        lane_get(found, value->v, lane);
        if (memcmp(found, right, sizeof found) != 0)
            disagree(t, what, lane, a, b, found, &expected[lane]);
    }
}

ROUTINE void judge_factor(struct trial *t, const char *what, int d, const vec a[5],
                          const vec b[5]) {
    struct sum value = reduced(&t->factor[d]);
    judge_reduced(t, what, &value, t->of_factor[d], a, b);
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t limb[5];
        lane_get(limb, t->factor[d].v, lane);
        if (limb[4] >= ((uint64_t)1 << LIMB_TOP) + ((uint64_t)1 << 13))
            disagree(t, "a factor's bound", lane, a, b, limb, &t->of_factor[d][lane]);
    }
}

ROUTINE void judge_sum(struct trial *t, const char *what, int d, const vec a[5], const vec b[5]) {
    struct factor carried = factor_of(&t->sum[d]);
    struct sum value = reduced(&carried);
    judge_reduced(t, what, &value, t->of_sum[d], a, b);
    uint64_t zeros = mask_lanes(is_zero(&t->sum[d]));
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t word[4], limb[5];
        truth_words(word, &t->of_sum[d][lane]);
        uint64_t is_null = (word[0] | word[1] | word[2] | word[3]) == 0;
        lane_get(limb, t->sum[d].v, lane);
        if ((zeros >> lane & 1) != is_null)
            disagree(t, "is_zero", lane, t->sum[d].v, NULL, limb, &t->of_sum[d][lane]);
    }
}

// -- Steps

// Registers that a step reads and writes; d is neither of the others.
struct places {
    int d, a, b;
};

static struct places places_next(struct inputs *inputs) {
    struct places p;
    p.d = (int)inputs_below(inputs, REGISTERS);
    p.a = (p.d + 1 + (int)inputs_below(inputs, REGISTERS - 1)) % REGISTERS;
    p.b = (p.d + 1 + (int)inputs_below(inputs, REGISTERS - 1)) % REGISTERS;
    return p;
}

ROUTINE void step_load_factor(struct trial *t, struct places p) {
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t limb[5];
        factor_limbs(&t->inputs, limb);
        factor_lane_set(&t->factor[p.d], limb, lane);
        for (int i = 0; i < 4; i++) limb[i] &= LIMB_ONES;
        t->of_factor[p.d][lane] = truth_of_limbs(limb);
    }
    judge_factor(t, "reduced", p.d, t->factor[p.d].v, NULL);
}

ROUTINE void step_load_sum(struct trial *t, struct places p) {
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t limb[5];
        sum_limbs(&t->inputs, limb);
        lane_set(t->sum[p.d].v, limb, lane);
        t->of_sum[p.d][lane] = truth_of_limbs(limb);
    }
    judge_sum(t, "factor_of", p.d, t->sum[p.d].v, NULL);
}

// The low bits of four words, and back.
ROUTINE void step_words(struct trial *t, struct places p) {
    vec word[4], back[4];
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t words[4], limb[5];
        words_wide(&t->inputs, words);
        for (int i = 0; i < 4; i++) memcpy((uint8_t *)&word[i] + 8 * lane, &words[i], 8);
        limbs_of_words(limb, words);
        limb[4] &= LOW(LIMB_TOP);
        t->of_factor[p.d][lane] = truth_of_limbs(limb);
    }
    t->factor[p.d] = factor_load(word);
    judge_factor(t, "factor_load", p.d, NULL, NULL);
    struct sum value = reduced(&t->factor[p.d]);
    reduced_words(&value, back);
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t right[4], limb[5];
        truth_words(right, &t->of_factor[p.d][lane]);
        lane_get(limb, value.v, lane);
        for (int i = 0; i < 4; i++)
            if (memcmp((const uint8_t *)&back[i] + 8 * lane, &right[i], 8) != 0)
                disagree(t, "reduced_words", lane, NULL, NULL, limb, &t->of_factor[p.d][lane]);
    }
}

ROUTINE void step_mul(struct trial *t, struct places p) {
    const struct factor *a = &t->factor[p.a], *b = &t->factor[p.b];
    const int with_bias = (int)inputs_below(&t->inputs, 2);
    t->sum[p.d] = factor_mul(a, b, with_bias);
    for (int lane = 0; lane < LANES; lane++)
        t->of_sum[p.d][lane] = truth_mul(&t->of_factor[p.a][lane], &t->of_factor[p.b][lane]);
    judge_sum(t, "factor_mul", p.d, a->v, b->v);
    if (with_bias) return;
    t->factor[p.d] = mul(a, b);
    memcpy(t->of_factor[p.d], t->of_sum[p.d], sizeof t->of_factor[p.d]);
    judge_factor(t, "mul", p.d, a->v, b->v);
}

ROUTINE void step_square(struct trial *t, struct places p) {
    const struct factor *a = &t->factor[p.a];
    const int with_bias = (int)inputs_below(&t->inputs, 2);
    t->sum[p.d] = factor_square(a, with_bias);
    for (int lane = 0; lane < LANES; lane++)
        t->of_sum[p.d][lane] = truth_mul(&t->of_factor[p.a][lane], &t->of_factor[p.a][lane]);
    judge_sum(t, "factor_square", p.d, a->v, NULL);
    if (with_bias) return;
    t->factor[p.d] = square(a);
    memcpy(t->of_factor[p.d], t->of_sum[p.d], sizeof t->of_factor[p.d]);
    judge_factor(t, "square", p.d, a->v, NULL);
}

ROUTINE void step_carry(struct trial *t, struct places p) {
    t->factor[p.d] = factor_of(&t->sum[p.a]);
    memcpy(t->of_factor[p.d], t->of_sum[p.a], sizeof t->of_factor[p.d]);
    judge_factor(t, "factor_of", p.d, t->sum[p.a].v, NULL);
}

ROUTINE void step_widen(struct trial *t, struct places p) {
    t->sum[p.d] = sum_of(&t->factor[p.a]);
    memcpy(t->of_sum[p.d], t->of_factor[p.a], sizeof t->of_sum[p.d]);
    judge_sum(t, "sum_of", p.d, t->factor[p.a].v, NULL);
}

// Whether a + b or, with `minus_sign`, a - b stays within bounds in every limb and lane.
static int is_within(const struct sum *a, const struct sum *b, int minus_sign) {
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t x[5], y[5];
        lane_get(x, a->v, lane);
        lane_get(y, b->v, lane);
        for (int i = 0; i < 5; i++)
            if (minus_sign ? x[i] < y[i] : x[i] > LIMB_MOST || y[i] > LIMB_MOST - x[i]) return 0;
    }
    return 1;
}

INLINE struct sum carried(const struct sum *a) {
    struct factor factor = factor_of(a);
    return sum_of(&factor);
}

ROUTINE void step_add(struct trial *t, struct places p) {
    struct sum a = t->sum[p.a], b = t->sum[p.b];
    if (!is_within(&a, &b, 0)) a = carried(&a);
    if (!is_within(&a, &b, 0)) b = carried(&b);
    t->sum[p.d] = sum_add(&a, &b);
    for (int lane = 0; lane < LANES; lane++)
        t->of_sum[p.d][lane] = truth_add(&t->of_sum[p.a][lane], &t->of_sum[p.b][lane]);
    judge_sum(t, "sum_add", p.d, a.v, b.v);
}

ROUTINE void step_sub(struct trial *t, struct places p) {
    struct sum a = t->sum[p.a], b = t->sum[p.b], bias = sum_bias();
    if (!is_within(&a, &b, 1)) {
        if (!is_within(&a, &bias, 0)) a = carried(&a);
        a = sum_add(&a, &bias);
    }
    if (!is_within(&a, &b, 1)) b = carried(&b);
    t->sum[p.d] = sum_sub(&a, &b);
    for (int lane = 0; lane < LANES; lane++)
        t->of_sum[p.d][lane] = truth_sub(&t->of_sum[p.a][lane], &t->of_sum[p.b][lane]);
    judge_sum(t, "sum_sub", p.d, a.v, b.v);
}

ROUTINE void step_select(struct trial *t, struct places p) {
    const uint64_t lanes = inputs_next(&t->inputs);
    const mask chosen = mask_from(lanes);
    t->factor[p.d] = factor_select(chosen, &t->factor[p.a], &t->factor[p.b]);
    t->sum[p.d] = sum_select(chosen, &t->sum[p.a], &t->sum[p.b]);
    for (int lane = 0; lane < LANES; lane++) {
        const int from = lanes >> lane & 1 ? p.a : p.b;
        t->of_factor[p.d][lane] = t->of_factor[from][lane];
        t->of_sum[p.d][lane] = t->of_sum[from][lane];
    }
    judge_factor(t, "factor_select", p.d, t->factor[p.a].v, t->factor[p.b].v);
    judge_sum(t, "sum_select", p.d, t->sum[p.a].v, t->sum[p.b].v);
}

// Several registers, squared some times, each times another one.
ROUTINE void step_powers(struct trial *t, struct places p) {
    const int groups = 1 + (int)inputs_below(&t->inputs, GROUPS_MAX);
    const int count = (int)inputs_below(&t->inputs, 6);
    struct factor power[GROUPS_MAX], by[GROUPS_MAX];
    truth right[GROUPS_MAX][LANES];
    for (int g = 0; g < groups; g++) {
        const int a = (p.a + g) % REGISTERS, b = (p.b + g) % REGISTERS;
        power[g] = t->factor[a], by[g] = t->factor[b];
        for (int lane = 0; lane < LANES; lane++) {
            truth value = t->of_factor[a][lane];
            for (int i = 0; i < count; i++) value = truth_mul(&value, &value);
            right[g][lane] = truth_mul(&value, &t->of_factor[b][lane]);
        }
    }
    square_times_mul(power, power, count, by, groups);
    for (int g = 0; g < groups; g++) {
        const int d = (p.d + g) % REGISTERS;
        t->factor[d] = power[g];
        memcpy(t->of_factor[d], right[g], sizeof right[g]);
        judge_factor(t, "square_times_mul", d, NULL, by[g].v);
    }
}

ROUTINE void step_root(struct trial *t, struct places p) {
    root_power(&t->factor[p.d], &t->factor[p.a], 1);
    for (int lane = 0; lane < LANES; lane++)
        t->of_factor[p.d][lane] = truth_root_power(&t->of_factor[p.a][lane]);
    judge_factor(t, "root_power", p.d, t->factor[p.a].v, NULL);
}

ROUTINE void step_invert(struct trial *t, struct places p) {
    factor_invert(&t->factor[p.d], &t->factor[p.a], &FIELD_MODULUS);
    for (int lane = 0; lane < LANES; lane++)
        t->of_factor[p.d][lane] = truth_invert(&t->of_factor[p.a][lane]);
    judge_factor(t, "factor_invert", p.d, t->factor[p.a].v, NULL);
}

// What only one of the fields has.
ROUTINE void step_own(struct trial *t, struct places p) {
#if defined(FIELD_HAS_MINUS)
    struct sum a = carried(&t->sum[p.a]), b = carried(&t->sum[p.b]);
    const truth none = truth_of_limb(0);
    t->factor[p.d] = minus(&a, &b);
    for (int lane = 0; lane < LANES; lane++)
        t->of_factor[p.d][lane] = truth_sub(&t->of_sum[p.a][lane], &t->of_sum[p.b][lane]);
    judge_factor(t, "minus", p.d, a.v, b.v);
    t->factor[p.d] = negative(&t->factor[p.a]);
    for (int lane = 0; lane < LANES; lane++)
        t->of_factor[p.d][lane] = truth_sub(&none, &t->of_factor[p.a][lane]);
    judge_factor(t, "negative", p.d, t->factor[p.a].v, NULL);
#else
    step_sub(t, p);
#endif
}

TARGET static void step(struct trial *t, struct places p) {
    static void (*const steps[])(struct trial *, struct places) = {step_mul,
                                                                   step_mul,
                                                                   step_mul,
                                                                   step_square,
                                                                   step_square,
                                                                   step_carry,
                                                                   step_carry,
                                                                   step_widen,
                                                                   step_add,
                                                                   step_add,
                                                                   step_sub,
                                                                   step_sub,
                                                                   step_select,
                                                                   step_words,
                                                                   step_load_factor,
                                                                   step_load_sum};
    // Powers and inverses take as long as a hundred products.
    const uint64_t rare = inputs_below(&t->inputs, 512);
    if (rare == 0)
        step_root(t, p);
    else if (rare == 1)
        step_invert(t, p);
    else if (rare < 24)
        step_powers(t, p);
    else if (rare < 48)
        step_own(t, p);
    else
        steps[rare % (sizeof steps / sizeof steps[0])](t, p);
}

TARGET static uint64_t field_run(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    struct trial t = {.seed = seed, .first = first};
    t.inputs.state = seed;
    if (first) *first = (struct probe_failure){0};
    for (int i = 0; i < REGISTERS; i++) {
        step_load_factor(&t, (struct places){i, i, i});
        step_load_sum(&t, (struct places){i, i, i});
    }
    for (uint64_t done = 0; done < cases; done += LANES) {
        t.step++;
        step(&t, places_next(&t.inputs));
    }
    return t.mismatches;
}
