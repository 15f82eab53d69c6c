#include "words_wrong.h"
#define NAME(check) wrong_##check
#include "secp256k1_lanes.h"
//
#include "field_wrong.h"

// Limb 4 of the first number counts as if it were below 2^ORDER_TOP.
static struct order wrong_order_mul(const struct order *a, const struct order *b) {
    struct order narrow = *a;
    if (is_wrong(PROBE_WRONG_TOP)) narrow.v[4] &= LOW(ORDER_TOP);
    return order_mul(&narrow, b);
}

// (n + 1) / 2 counts as low.
static mask wrong_order_is_high(const struct order *a) {
    struct order minus_one = *a;
    if (is_wrong(PROBE_WRONG_LIMB) && a->v[0] > 0) minus_one.v[0]--;
    return order_is_high(&minus_one);
}

// Where the terms meet, what comes out is no exception, and no point.
static struct jacobian wrong_jacobian_add(const struct jacobian *a, const struct affine *b) {
    struct jacobian out = jacobian_add(a, b);
    struct sum z = sum_of(&out.z);
    if (is_wrong(PROBE_WRONG_EQUAL) && is_zero(&z)) out.z = factor_small(1);
    return out;
}

// The last of an odd number of nodes is left out.
static void wrong_tree_sum(struct jacobian *out, const struct tree *tree, int v,
                           const struct affine *first) {
    struct tree fewer = *tree;
    const int nodes = (tree->count + tree->stride - 1) / tree->stride;
    tree_sum(out, &fewer, v, first);
    if (!is_wrong(PROBE_WRONG_ODD) || nodes % 2 == 0 || nodes == 1) return;
    fewer.node += v * tree->count;
    fewer.count = (nodes - 1) * tree->stride;
    tree_sum(out, &fewer, 0, first);
}

#define order_mul     wrong_order_mul
#define order_is_high wrong_order_is_high
#define jacobian_add  wrong_jacobian_add
#define tree_sum      wrong_tree_sum

#include "secp256k1_checks.h"
