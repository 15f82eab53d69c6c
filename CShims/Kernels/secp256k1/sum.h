// Sums of many points in each lane, a tree of affine additions.
//
// An affine addition costs five products and a square if the inverse of x2 - x1 is at hand, against
// eleven and more of a Jacobian one. All additions of a level of the tree share one inversion, so a
// level pays as soon as it has enough of them; what is left is added up in Jacobian coordinates.
//
// No level may meet a pair with equal x: there is no mask for that. Nodes that are sums of windows
// of one scalar (window.h) never do before the last addition: let A and B be the multipliers of two
// neighbouring nodes, window i the lowest of them. A + B and A - B are odd multiples of 2^(bits *
// i) and so not 0; they are below 8 n in size, and of the multiples of n so near only 0 is
// divisible by 2^bits, so i would be 0; and while the tree has two nodes or more for a scalar,
// those with window 0 are below 2^200.
#pragma once
#include "lane_point.h"

struct tree {
    struct affine *node;   // node i of vector v is node[v * count + i]
    struct factor *prefix; // room for a factor a pair
    int vectors, count;    // nodes a vector, in the beginning
    int stride;            // from one node to the next, now: a sum lies where its first term lay
};

static int tree_nodes(const struct tree *tree) {
    return (tree->count + tree->stride - 1) / tree->stride;
}

INLINE struct factor x_difference(const struct affine *a, const struct affine *b) {
    struct sum x1 = sum_of(&a->x), x2 = sum_of(&b->x);
    return minus(&x2, &x1);
}

// a[g] += b[g], by the inverses of x2 - x1.
INLINE void affine_add_each(struct affine *const *a, const struct affine *const *b,
                            const struct factor *inverse, const int count) {
    struct factor slope[ABREAST], run[ABREAST];
    EACH(g) {
        struct sum y1 = sum_of(&a[g]->y), y2 = sum_of(&b[g]->y);
        struct factor rise = minus(&y2, &y1);
        slope[g] = mul(&rise, &inverse[g]);
    }
    EACH(g) {
        struct sum x1 = sum_of(&a[g]->x), x2 = sum_of(&b[g]->x), x = factor_square(&slope[g], 1);
        x = sum_sub(&x, &x1);
        x = sum_sub(&x, &x2);
        a[g]->x = factor_of(&x);
        x = sum_of(&a[g]->x);
        run[g] = minus(&x1, &x);
    }
    EACH(g) {
        struct sum y = factor_mul(&slope[g], &run[g], 1), y1 = sum_of(&a[g]->y);
        y = sum_sub(&y, &y1);
        a[g]->y = factor_of(&y);
    }
}

INLINE void affine_add(struct affine *a, const struct affine *b, const struct factor *inverse) {
    struct affine *const to[1] = {a};
    const struct affine *const from[1] = {b};
    affine_add_each(to, from, inverse, 1);
}

// Entry e + 2^t of every table := its entry e plus its step, for e < 2^t, with one inversion. Table
// j begins at entry[j * entries] and has step[j * steps]. `prefix` has room for 2^t factors a
// table.
ROUTINE void tables_grow(struct affine *entry, int entries, const struct affine *step, int steps,
                         struct factor *prefix, int tables, int t) {
    struct factor product = factor_small(1), inverse;
    const int each = 1 << t;
    for (int j = 0; j < tables; j++)
        for (int e = 0; e < each; e++) {
            struct factor d = x_difference(&entry[j * entries + e], &step[j * steps]);
            prefix[j * each + e] = product;
            product = mul(&product, &d);
        }
    factor_inverse(&inverse, &product);
    for (int j = tables - 1; j >= 0; j--)
        for (int e = each - 1; e >= 0; e--) {
            struct affine *from = &entry[j * entries + e];
            struct factor d = x_difference(from, &step[j * steps]);
            struct factor one = mul(&inverse, &prefix[j * each + e]);
            inverse = mul(&inverse, &d);
            from[each] = *from;
            affine_add(&from[each], &step[j * steps], &one);
        }
}

// ABREAST chains of products, each over every second pair: prefix is what lay before.
INLINE void pairs_multiply(struct factor product[ABREAST], struct factor *prefix,
                           const struct affine *node, int stride, const int count) {
    EACH(g) {
        const struct affine *a = node + 2 * g * stride;
        struct factor d = x_difference(a, a + stride);
        prefix[g] = product[g];
        product[g] = mul(&product[g], &d);
    }
}

INLINE void pairs_add(struct factor inverse[ABREAST], const struct factor *prefix,
                      struct affine *node, int stride, const int count) {
    struct affine *a[ABREAST];
    const struct affine *b[ABREAST];
    struct factor own[ABREAST];
    EACH(g) {
        a[g] = node + 2 * g * stride;
        b[g] = a[g] + stride;
        struct factor d = x_difference(a[g], b[g]);
        own[g] = mul(&inverse[g], &prefix[g]);
        inverse[g] = mul(&inverse[g], &d);
    }
    affine_add_each(a, b, own, count);
}

// One inversion for all chains and lanes.
ROUTINE void chains_invert(struct factor inverse[ABREAST], const struct factor product[ABREAST]) {
    _Static_assert(ABREAST == 2, "two chains");
    struct factor both = mul(&product[0], &product[1]), all;
    factor_inverse(&all, &both);
    inverse[0] = mul(&all, &product[1]);
    inverse[1] = mul(&all, &product[0]);
}

// One level: half as many nodes.
ROUTINE void tree_halve(struct tree *tree) {
    const int pairs = tree_nodes(tree) / 2, whole = pairs / ABREAST * ABREAST;
    struct factor product[ABREAST], inverse[ABREAST];
    for (int g = 0; g < ABREAST; g++) product[g] = factor_small(1);
    for (int v = 0; v < tree->vectors; v++) {
        const struct affine *node = tree->node + v * tree->count;
        struct factor *prefix = tree->prefix + v * pairs;
        for (int i = 0; i < whole; i += ABREAST)
            pairs_multiply(product, prefix + i, node + 2 * i * tree->stride, tree->stride, ABREAST);
        if (whole < pairs)
            pairs_multiply(
                product, prefix + whole, node + 2 * whole * tree->stride, tree->stride, 1);
    }
    chains_invert(inverse, product);
    for (int v = tree->vectors - 1; v >= 0; v--) {
        struct affine *node = tree->node + v * tree->count;
        const struct factor *prefix = tree->prefix + v * pairs;
        if (whole < pairs)
            pairs_add(inverse, prefix + whole, node + 2 * whole * tree->stride, tree->stride, 1);
        for (int i = whole - ABREAST; i >= 0; i -= ABREAST)
            pairs_add(inverse, prefix + i, node + 2 * i * tree->stride, tree->stride, ABREAST);
    }
    tree->stride *= 2;
}

// Halves while that pays, down to `least` nodes.
static void tree_shrink(struct tree *tree, int least) {
    while (tree_nodes(tree) > least && tree_nodes(tree) / 2 * tree->vectors >= PAIRS_LEAST)
        tree_halve(tree);
}

// out[v] := the sum of what is left of vector v, with first[v] before it unless `first` is NULL.
// Z = 0 in lanes that met an exception.
ROUTINE void tree_sums(struct jacobian *out, const struct tree *tree, const struct affine *first) {
    for (int v = 0; v < tree->vectors; v += ABREAST) {
        const int count = tree->vectors - v < ABREAST ? 1 : ABREAST;
        const struct affine *node[ABREAST];
        EACH(g) {
            node[g] = tree->node + (v + g) * tree->count;
            out[v + g] = jacobian_of(first ? &first[v + g] : node[g]);
        }
        for (int i = first ? 0 : tree->stride; i < tree->count; i += tree->stride) {
            const struct affine *next[ABREAST];
            EACH(g) next[g] = node[g] + i;
            jacobians_add(&out[v], next, count);
        }
    }
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
