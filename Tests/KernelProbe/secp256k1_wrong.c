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
static void wrong_jacobians_add(struct jacobian *a, const struct affine *const *b, int count) {
    jacobians_add(a, b, count);
    for (int g = 0; g < count; g++) {
        struct sum z = sum_of(&a[g].z);
        if (is_wrong(PROBE_WRONG_EQUAL) && is_zero(&z)) a[g].z = factor_small(1);
    }
}

// The last of an odd number of nodes is left out.
static void wrong_tree_sums(struct jacobian *out, const struct tree *tree,
                            const struct affine *first) {
    const int nodes = tree_nodes(tree);
    tree_sums(out, tree, first);
    if (!is_wrong(PROBE_WRONG_ODD) || nodes % 2 == 0 || nodes == 1) return;
    for (int v = 0; v < tree->vectors; v++) {
        struct tree fewer = *tree;
        fewer.vectors = 1;
        fewer.node += v * tree->count;
        fewer.count = (nodes - 1) * tree->stride;
        tree_sums(&out[v], &fewer, first ? &first[v] : NULL);
    }
}

#define order_mul     wrong_order_mul
#define order_is_high wrong_order_is_high
#define jacobians_add wrong_jacobians_add
#define tree_sums     wrong_tree_sums

#include "secp256k1_checks.h"
