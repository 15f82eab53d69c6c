// Random programs over numbers modulo n in lanes against order_truth.c. Included after
// field_trials.h and lane_order.h.
#pragma once
#include "order_truth.h"

struct order_trial {
    struct inputs inputs;
    uint64_t seed, step, mismatches;
    struct probe_failure *first;
    struct order value[REGISTERS]; // weak
    struct number right[REGISTERS][LANES];
};

// A bit more or less than 0, n, n / 2, 2^256, or the most a weak number can be.
static void order_limbs_near(struct inputs *inputs, uint64_t limb[5]) {
    int64_t up = (int64_t)inputs_below(inputs, 20) - 10;
    memset(limb, 0, 5 * sizeof *limb);
    switch (inputs_below(inputs, 6)) {
    case 0:
        up += 10;
        break;
    case 1:
        memcpy(limb, order_limb, sizeof order_limb);
        break;
    case 2:
        // (n + 1) / 2 and its neighbours.
        memcpy(limb, order_limb, sizeof order_limb);
        for (int i = 0; i < 5; i++) limb[i] = limb[i] >> 1 | (i < 4 ? (limb[i + 1] & 1) << 51 : 0);
        break;
    case 3:
        // 2^256 + 2^135
        limb[4] = (uint64_t)1 << ORDER_TOP;
        limb[2] = (uint64_t)1 << 31;
        up -= 10;
        break;
    case 4: {
        // 2^256 and a random rest below 2^135.
        limb[4] = (uint64_t)1 << ORDER_TOP;
        limb[0] = limb_below(inputs, LIMB_ONES);
        limb[1] = limb_below(inputs, LIMB_ONES);
        limb[2] = limb_below(inputs, LOW(31));
        return;
    }
    default:
        limb[4] = (uint64_t)1 << ORDER_TOP;
    }
    limbs_shift(limb, up);
}

static void order_limbs(struct inputs *inputs, uint64_t limb[5]) {
    if (inputs_below(inputs, 3) == 0) {
        order_limbs_near(inputs, limb);
        return;
    }
    for (int i = 0; i < 4; i++) limb[i] = limb_below(inputs, LIMB_ONES);
    limb[4] = limb_below(inputs, LOW(ORDER_TOP));
}

static void order_disagree(struct order_trial *t, const char *what, int lane, const vec a[5],
                           const vec b[5], const uint64_t *found, const uint64_t *right) {
    uint64_t limbs[2][5];
    if (a) lane_get(limbs[0], a, lane);
    if (b) lane_get(limbs[1], b, lane);
    const struct finding finding = {
        what, t->seed, t->step, lane, a ? limbs[0] : NULL, b ? limbs[1] : NULL, found, right};
    finding_report(t->first, &finding);
    t->mismatches++;
}

// A weak number's value and form, and all that is asked of a reduced one.
ROUTINE void order_judge(struct order_trial *t, const char *what, int d, const vec a[5],
                         const vec b[5]) {
    struct order least = order_reduced(&t->value[d]), back;
    const uint64_t high = mask_lanes(order_is_high(&least));
    const uint64_t zero = mask_lanes(order_is_zero(&least));
    vec word[4];
    order_words(&least, word);
    back = order_load(word);
    for (int lane = 0; lane < LANES; lane++) {
        const struct number *right = &t->right[d][lane];
        uint64_t found[5], again[5], weak[5], limb[5];
        lane_get(found, least.v, lane);
        lane_get(again, back.v, lane);
        lane_get(weak, t->value[d].v, lane);
        limbs_of_words(limb, right->v);
        if (memcmp(found, limb, sizeof limb) != 0) order_disagree(t, what, lane, a, b, found, limb);
        if (memcmp(again, limb, sizeof limb) != 0)
            order_disagree(t, "order_words", lane, least.v, NULL, again, limb);
        for (int i = 0; i < 5; i++)
            if (weak[i] > (i < 4 ? LOW(52) : LOW(49)))
                order_disagree(t, "a weak number's bound", lane, a, b, weak, limb);
        if ((high >> lane & 1) != (uint64_t)number_is_high(right))
            order_disagree(t, "order_is_high", lane, least.v, NULL, found, limb);
        if ((zero >> lane & 1) != (uint64_t)number_is_zero(right))
            order_disagree(t, "order_is_zero", lane, least.v, NULL, found, limb);
    }
}

ROUTINE void order_step_load(struct order_trial *t, struct places p) {
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t limb[5];
        order_limbs(&t->inputs, limb);
        lane_set(t->value[p.d].v, limb, lane);
        t->right[p.d][lane] = number_of_limbs(limb);
    }
    order_judge(t, "order_reduced", p.d, t->value[p.d].v, NULL);
}

ROUTINE void order_step_words(struct order_trial *t, struct places p) {
    vec word[4];
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t words[8] = {0};
        words_wide(&t->inputs, words);
        for (int i = 0; i < 4; i++) memcpy((uint8_t *)&word[i] + 8 * lane, &words[i], 8);
        t->right[p.d][lane] = number_of(words);
    }
    t->value[p.d] = order_load(word);
    order_judge(t, "order_load", p.d, NULL, NULL);
}

ROUTINE void order_step_mul(struct order_trial *t, struct places p) {
    t->value[p.d] = order_mul(&t->value[p.a], &t->value[p.b]);
    for (int lane = 0; lane < LANES; lane++) {
        const struct number *a = &t->right[p.a][lane], *b = &t->right[p.b][lane];
        t->right[p.d][lane] = number_mul(a, b);
        if (t->step % 512 == 0 && !number_is_zero(a) && !number_is_zero(b) && !number_agrees(a, b))
            order_disagree(t, "the library", lane, NULL, NULL, NULL, NULL);
    }
    order_judge(t, "order_mul", p.d, t->value[p.a].v, t->value[p.b].v);
}

ROUTINE void order_step_add(struct order_trial *t, struct places p) {
    t->value[p.d] = order_add(&t->value[p.a], &t->value[p.b]);
    for (int lane = 0; lane < LANES; lane++)
        t->right[p.d][lane] = number_add(&t->right[p.a][lane], &t->right[p.b][lane]);
    order_judge(t, "order_add", p.d, t->value[p.a].v, t->value[p.b].v);
}

ROUTINE void order_step_negative(struct order_trial *t, struct places p) {
    t->value[p.d] = order_negative(&t->value[p.a]);
    for (int lane = 0; lane < LANES; lane++)
        t->right[p.d][lane] = number_negative(&t->right[p.a][lane]);
    order_judge(t, "order_negative", p.d, t->value[p.a].v, NULL);
}

ROUTINE void order_step_select(struct order_trial *t, struct places p) {
    const uint64_t lanes = inputs_next(&t->inputs);
    t->value[p.d] = order_select(mask_from(lanes), &t->value[p.a], &t->value[p.b]);
    for (int lane = 0; lane < LANES; lane++)
        t->right[p.d][lane] = t->right[lanes >> lane & 1 ? p.a : p.b][lane];
    order_judge(t, "order_select", p.d, t->value[p.a].v, t->value[p.b].v);
}

// 1 / 0 is 0.
ROUTINE void order_step_invert(struct order_trial *t, struct places p) {
    order_inverse(&t->value[p.d], &t->value[p.a]);
    for (int lane = 0; lane < LANES; lane++)
        t->right[p.d][lane] = number_invert(&t->right[p.a][lane]);
    order_judge(t, "order_inverse", p.d, t->value[p.a].v, NULL);
}

// All but one register by one inversion; none of them may be 0.
ROUTINE void order_step_invert_all(struct order_trial *t, struct places p) {
    struct order in[REGISTERS - 1], out[REGISTERS - 1];
    const int count = 1 + (int)inputs_below(&t->inputs, REGISTERS - 1);
    for (int i = 0; i < count; i++) {
        in[i] = t->value[(p.d + i) % REGISTERS];
        for (int lane = 0; lane < LANES; lane++)
            if (number_is_zero(&t->right[(p.d + i) % REGISTERS][lane])) return;
    }
    orders_inverse(out, in, count);
    for (int i = 0; i < count; i++) {
        const int d = (p.d + i) % REGISTERS;
        t->value[d] = out[i];
        for (int lane = 0; lane < LANES; lane++)
            t->right[d][lane] = number_invert(&t->right[d][lane]);
        order_judge(t, "orders_inverse", d, in[i].v, NULL);
    }
}

TARGET static void order_step(struct order_trial *t, struct places p) {
    static void (*const steps[])(struct order_trial *, struct places) = {order_step_mul,
                                                                         order_step_mul,
                                                                         order_step_mul,
                                                                         order_step_mul,
                                                                         order_step_add,
                                                                         order_step_add,
                                                                         order_step_load,
                                                                         order_step_load,
                                                                         order_step_negative,
                                                                         order_step_select,
                                                                         order_step_words};
    const uint64_t rare = inputs_below(&t->inputs, 2 + 11 * 93);
    if (rare == 0)
        order_step_invert(t, p);
    else if (rare == 1)
        order_step_invert_all(t, p);
    else
        steps[rare % (sizeof steps / sizeof steps[0])](t, p);
}

TARGET static uint64_t order_run(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    struct order_trial t = {.seed = seed, .first = first};
    t.inputs.state = seed;
    if (first) *first = (struct probe_failure){0};
    for (int i = 0; i < REGISTERS; i++) order_step_load(&t, (struct places){i, i, i});
    for (uint64_t done = 0; done < cases; done += LANES) {
        t.step++;
        order_step(&t, places_next(&t.inputs));
    }
    return t.mismatches;
}
