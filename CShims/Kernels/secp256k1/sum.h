// Sums of many points in each lane, a tree of affine additions.
//
// An affine addition costs five products and a square if the inverse of x2 - x1 is at hand, against
// eleven and more of a Jacobian one. All additions of a level of the tree share one inversion, so a
// level pays as soon as it has enough of them; what is left is added up in Jacobian coordinates.
//
// No level may meet a pair with equal x: there is no mask for that. Nodes that are sums of windows
// of one scalar (window.h) never do before the last addition: let A and B be the multipliers of two
// neighbouring nodes, window i the lowest of them. A + B and A - B are odd multiples of 2^(bits *
// i) and so not 0; they are below 2 n in size, so they could be n or -n, which is odd, only for i =
// 0; and while the tree has two nodes or more for a scalar, those with window 0 are below 2^200.
#pragma once
#include "lane_point.h"

// Independent chains of products, so that one's products fill the other's waits.
#define CHAINS 2

struct tree {
    struct affine *node;   // node i of vector v is node[v * count + i]
    struct factor *prefix; // room for a factor a pair
    int vectors, count;    // nodes a vector, in the beginning
    int stride;            // from one node to the next, now: a sum lies where its first term lay
    int pairs;             // of a vector
};

INLINE struct affine *tree_node(const struct tree *tree, int k, int second) {
    int vector = k / tree->pairs, pair = k % tree->pairs;
    return &tree->node[vector * tree->count + (2 * pair + second) * tree->stride];
}

INLINE struct factor x_difference(const struct affine *a, const struct affine *b) {
    struct sum x1 = sum_of(&a->x), x2 = sum_of(&b->x);
    return minus(&x2, &x1);
}

// a := a + b, by the inverse of x2 - x1.
INLINE void affine_add(struct affine *a, const struct affine *b, const struct factor *inverse) {
    struct sum x1 = sum_of(&a->x), x2 = sum_of(&b->x), y1 = sum_of(&a->y), y2 = sum_of(&b->y);
    struct factor rise = minus(&y2, &y1), slope = mul(&rise, inverse);
    struct sum x = factor_square(&slope, 1);
    x = sum_sub(&x, &x1);
    x = sum_sub(&x, &x2);
    a->x = factor_of(&x);
    struct sum x3 = sum_of(&a->x);
    struct factor run = minus(&x1, &x3);
    struct sum y = factor_mul(&slope, &run, 1);
    y = sum_sub(&y, &y1);
    a->y = factor_of(&y);
}

// inverse[c] of chain c's product, by one inversion for all chains and lanes.
ROUTINE void chains_invert(struct factor inverse[CHAINS], const struct factor product[CHAINS]) {
    struct factor both = mul(&product[0], &product[1]), all;
    factor_inverse(&all, &both);
    inverse[0] = mul(&all, &product[1]);
    inverse[1] = mul(&all, &product[0]);
}

// One level: half as many nodes.
ROUTINE void tree_halve(struct tree *tree) {
    const int nodes = (tree->count + tree->stride - 1) / tree->stride;
    tree->pairs = nodes / 2;
    const int all = tree->pairs * tree->vectors;
    struct factor product[CHAINS], inverse[CHAINS];
    for (int c = 0; c < CHAINS; c++) product[c] = factor_small(1);
    for (int k = 0; k < all; k += CHAINS)
        for (int c = 0; c < CHAINS && k + c < all; c++) {
            struct factor d = x_difference(tree_node(tree, k + c, 0), tree_node(tree, k + c, 1));
            tree->prefix[k + c] = product[c];
            product[c] = mul(&product[c], &d);
        }
    chains_invert(inverse, product);
    for (int k = (all - 1) / CHAINS * CHAINS; k >= 0; k -= CHAINS)
        for (int c = 0; c < CHAINS && k + c < all; c++) {
            struct affine *a = tree_node(tree, k + c, 0);
            const struct affine *b = tree_node(tree, k + c, 1);
            struct factor d = x_difference(a, b), one = mul(&inverse[c], &tree->prefix[k + c]);
            inverse[c] = mul(&inverse[c], &d);
            affine_add(a, b, &one);
        }
    tree->stride *= 2;
}

// Halves while that pays, down to `least` nodes.
static void tree_shrink(struct tree *tree, int least) {
    for (;;) {
        int nodes = (tree->count + tree->stride - 1) / tree->stride;
        if (nodes <= least || nodes / 2 * tree->vectors < PAIRS_LEAST) return;
        tree_halve(tree);
    }
}

// The sum of what is left of vector v, with `first` before it unless that is NULL. Z = 0 in lanes
// that met an exception.
ROUTINE void tree_sum(struct jacobian *out, const struct tree *tree, int v,
                      const struct affine *first) {
    const struct affine *node = &tree->node[v * tree->count];
    struct jacobian sum = jacobian_of(first ? first : node);
    for (int i = first ? 0 : tree->stride; i < tree->count; i += tree->stride)
        sum = jacobian_add(&sum, &node[i]);
    *out = sum;
}

// Divides by Z, with one inversion for all vectors. Returns those of the first 64 entries where Z
// is 0; these get any coordinates. `prefix` has room for a factor a vector.
ROUTINE uint64_t points_divide(struct affine *out, struct jacobian *in, struct factor *prefix,
                               int vectors) {
    const struct factor one = factor_small(1);
    struct factor product = one, inverse;
    uint64_t none = 0;
    for (int v = 0; v < vectors; v++) {
        struct sum z = sum_of(&in[v].z);
        mask zero = is_zero(&z);
        if (LANES * v < KERNELS_LANES_MAX) none |= mask_lanes(zero) << LANES * v;
        in[v].z = factor_select(zero, &one, &in[v].z);
        prefix[v] = product;
        product = mul(&product, &in[v].z);
    }
    factor_inverse(&inverse, &product);
    for (int v = vectors - 1; v >= 0; v--) {
        struct factor z = mul(&inverse, &prefix[v]), zz = square(&z), zzz = mul(&zz, &z);
        inverse = mul(&inverse, &in[v].z);
        out[v].x = mul(&in[v].x, &zz);
        out[v].y = mul(&in[v].y, &zzz);
    }
    return none;
}
