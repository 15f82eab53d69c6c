// Sums of many points of a small group, where terms meet often. Included after group_trials.h.
#pragma once

#define TREE_VECTORS   3
#define TREE_COUNT_MAX 43

struct tree_trial {
    int vectors, count, least, has_first;
    int start[TREE_VECTORS][LANES], index[TREE_VECTORS][LANES][TREE_COUNT_MAX];
    int sum[TREE_VECTORS][LANES]; // 0 where terms meet after the tree, -1 where they do in it
    struct affine node[TREE_VECTORS * TREE_COUNT_MAX], first[TREE_VECTORS], point[TREE_VECTORS];
    struct factor prefix[TREE_VECTORS * TREE_COUNT_MAX];
    struct jacobian out[TREE_VECTORS];
};

static int meets(int a, int b, int order) { return a == 0 || a == b || a + b == order; }

// What becomes of a lane's terms.
static int tree_expect(const struct tree_trial *e, const int *index, int start, int order) {
    int node[TREE_COUNT_MAX], stride = 1;
    memcpy(node, index, sizeof node);
    for (;; stride *= 2) {
        const int nodes = (e->count + stride - 1) / stride;
        if (nodes <= e->least || nodes / 2 * e->vectors < PAIRS_LEAST) break;
        for (int pair = 0; pair < nodes / 2; pair++) {
            int *a = &node[2 * pair * stride];
            const int b = node[(2 * pair + 1) * stride];
            if (meets(*a, b, order)) return -1;
            *a = (*a + b) % order;
        }
    }
    int sum = e->has_first ? start : node[0];
    for (int i = e->has_first ? 0 : stride; i < e->count; i += stride)
        sum = meets(sum, node[i], order) ? 0 : (sum + node[i]) % order;
    return sum;
}

// Terms that do not meet in the tree, where there is no mask for that; or any.
static void tree_terms(struct group_trial *t, struct tree_trial *e, int v, int lane, int is_any) {
    const int order = t->group.order;
    for (int tries = 0; tries < 200; tries++) {
        int *index = e->index[v][lane];
        for (int i = 0; i < e->count; i++)
            index[i] = 1 + (int)inputs_below(&t->inputs, (uint64_t)order - 1);
        e->start[v][lane] = 1 + (int)inputs_below(&t->inputs, (uint64_t)order - 1);
        e->sum[v][lane] = tree_expect(e, index, e->start[v][lane], order);
        if (is_any || e->sum[v][lane] >= 0) return;
    }
}

static void tree_pick(struct group_trial *t, struct tree_trial *e) {
    const int most = t->group.order < 50 ? 12 : TREE_COUNT_MAX;
    e->vectors = 1 + (int)inputs_below(&t->inputs, TREE_VECTORS);
    e->count = 1 + (int)inputs_below(&t->inputs, (uint64_t)most);
    e->least = 1 + (int)inputs_below(&t->inputs, 8);
    e->has_first = (int)inputs_below(&t->inputs, 2);
    memset(e->index, 0, sizeof e->index);
    // A lane whose terms meet in the tree is lost; no other lane may be.
    const int lost = LANES > 1 ? (int)inputs_below(&t->inputs, 8 * LANES) : LANES;
    for (int lane = 0; lane < LANES; lane++) {
        int is_lost = 0;
        for (int v = 0; v < e->vectors; v++) {
            tree_terms(t, e, v, lane, lane == lost);
            is_lost |= e->sum[v][lane] < 0;
            affine_put(t, &e->first[v], e->start[v][lane], lane);
            for (int i = 0; i < e->count; i++)
                affine_put(t, &e->node[v * e->count + i], e->index[v][lane][i], lane);
        }
        for (int v = 0; v < e->vectors && is_lost; v++) e->sum[v][lane] = -1;
    }
}

ROUTINE void tree_judge(struct group_trial *t, struct tree_trial *e) {
    int count[LANES], least[LANES];
    for (int lane = 0; lane < LANES; lane++) count[lane] = e->count, least[lane] = e->least;
    for (int v = 0; v < e->vectors; v++)
        judge_jacobian(t, "tree_sums", &e->out[v], e->sum[v], count, least);
    const uint64_t none = points_divide(e->point, e->out, e->prefix, e->vectors);
    for (int v = 0; v < e->vectors; v++) {
        uint64_t lanes = 0;
        for (int lane = 0; lane < LANES; lane++) {
            lanes |= (uint64_t)(e->sum[v][lane] > 0) << lane;
            const int is_none = none >> (LANES * v + lane) & 1;
            if (e->sum[v][lane] >= 0 && is_none != (e->sum[v][lane] == 0))
                group_disagree(t, "points_divide", lane, e->count, e->least);
        }
        judge_affine(t, "points_divide", &e->point[v], e->sum[v], lanes, count, least);
    }
}

// Returns how many terms it added up.
static TARGET uint64_t tree_run(struct group_trial *t) {
    struct tree_trial e;
    t->step++;
    tree_pick(t, &e);
    struct tree tree = {e.node, e.prefix, e.vectors, e.count, 1};
    tree_shrink(&tree, e.least);
    tree_sums(e.out, &tree, e.has_first ? e.first : NULL);
    tree_judge(t, &e);
    return (uint64_t)(e.vectors * e.count * LANES);
}

// All pairs of every group, then sums of random terms.
TARGET static uint64_t group_run(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    static _Thread_local struct group_trial t;
    uint64_t mismatches = 0;
    if (first) *first = (struct probe_failure){0};
    for (int which = 0; which < GROUPS; which++) {
        t = (struct group_trial){.seed = seed, .first = first};
        t.inputs.state = seed + (uint64_t)which;
        small_group_make(&t.group, which);
        uint64_t done = pairs_run(&t);
        const uint64_t enough = done + cases / GROUPS;
        while (done < enough) done += tree_run(&t);
        mismatches += t.mismatches;
    }
    return mismatches;
}
