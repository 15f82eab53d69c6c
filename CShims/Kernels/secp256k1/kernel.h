// Points, challenges, tickets' signatures over the lane vocabulary.
//
// How it differs from library.c. Live lanes are packed into vectors; multiples of G and of a known
// signer are sums of table entries (window.h), added up as trees (sum.h); and all inversions of a
// batch are one. Lanes whose sum met an exception, which no honest input does but once in 2^120,
// go to the scalar row. Whoever includes this defines NAME(x), the row's prefix, and PAIRS_LEAST,
// the number of additions from which a level of a tree pays.
#include "../lanes/packing.h"
#include "../rows.h"
#include "window_table.h"

// -- Loading and storing

INLINE void words_load_big(vec word[4], const struct packing *packing, struct kernels_lanes from,
                           int j, size_t offset) {
    from.base += offset;
    words_load(word, packing, from, j);
    words_turn(word);
}

// x || y, big-endian, to the lanes of `entries`.
ROUTINE void affine_store(const struct affine *points, const struct packing *packing,
                          struct kernels_lanes out, uint64_t entries) {
    for (int j = 0; j < packing->vectors; j++) {
        uint8_t aside[64], *at[LANES];
        vec word[8];
        struct sum x = reduced(&points[j].x), y = reduced(&points[j].y);
        reduced_words(&x, word);
        reduced_words(&y, word + 4);
        words_turn(word);
        words_turn(word + 4);
        for (int i = 0; i < LANES; i++) {
            int entry = LANES * j + i, is_shown = entry < packing->count && entries >> entry & 1;
            at[i] = is_shown ? lane_at(out, packing->lane[entry]) : aside;
        }
        vec_store_block(at, 0, 64, word);
        wipe(aside, sizeof aside);
    }
}

// Scalars in 1..n-1; the other lanes get 1.
INLINE mask scalar_load(struct order *out, const struct packing *packing, struct kernels_lanes from,
                        int j) {
    vec word[4], rest[5];
    const struct factor one_limbs = factor_small(1);
    struct order value, one;
    words_load_big(word, packing, from, j, 0);
    value = order_load(word);
    for (int i = 0; i < 5; i++) one.v[i] = one_limbs.v[i];
    mask valid = (mask) ~(order_reaches(rest, &value, order_256, 3) | order_is_zero(&value));
    *out = order_select(valid, &value, &one);
    return valid & LANES_ALL;
}

// Of all vectors; the entries whose scalar is in 1..n-1, which is made public.
ROUTINE uint64_t scalars_load(struct order *out, const struct packing *packing,
                              struct kernels_lanes from) {
    uint64_t valid = 0;
    for (int j = 0; j < packing->vectors; j++)
        valid |= mask_lanes(scalar_load(&out[j], packing, from, j)) << LANES * j;
    DECLASSIFY(&valid, sizeof valid);
    return valid & entries_all(packing);
}

// -- Multiples of G, constant time

#define BASE_LEAST 4 // nodes that no level goes below

// What a batch of multiplications works on; secret.
struct base_sums {
    struct affine node[VECTORS_MAX * BASE_WINDOWS];
    struct factor prefix[VECTORS_MAX * BASE_WINDOWS / 2 + 1];
    struct jacobian sum[VECTORS_MAX];
    struct affine point[VECTORS_MAX];
};

// What a batch of so many vectors left.
static void base_sums_wipe(struct base_sums *sums, int vectors) {
    const size_t count = (size_t)vectors;
    wipe(sums->node, count * BASE_WINDOWS * sizeof sums->node[0]);
    wipe(sums->prefix, (count * BASE_WINDOWS / 2 + 1) * sizeof sums->prefix[0]);
    wipe(sums->sum, count * sizeof sums->sum[0]);
    wipe(sums->point, count * sizeof sums->point[0]);
}

// Frames below this one, deep enough for all that is called here.
static __attribute__((noinline)) void wipe_stack_sums(void) {
    uint8_t dead[16384];
    wipe(dead, sizeof dead);
}

ROUTINE void base_nodes(struct affine *node, const struct order *k) {
    struct digits digits;
    digits_of(&digits, k, BASE_BITS * BASE_WINDOWS);
    for (int j = 0; j < BASE_WINDOWS; j++) {
        mask minus_sign;
        vec entry = digit(&digits, BASE_BITS, j, &minus_sign);
        base_read(&node[j], &secp_base, j, entry, minus_sign);
    }
    wipe(&digits, sizeof digits);
}

// point[j] := k[j] G + first[j], or without `first` if that is NULL. Returns the entries that met
// an exception.
ROUTINE uint64_t base_sum(struct base_sums *sums, const struct order *k, int vectors,
                          const struct affine *first) {
    struct tree tree = {sums->node, sums->prefix, vectors, BASE_WINDOWS, 1};
    for (int j = 0; j < vectors; j++) base_nodes(&sums->node[j * BASE_WINDOWS], &k[j]);
    tree_shrink(&tree, BASE_LEAST);
    tree_sums(sums->sum, &tree, first);
    uint64_t met = points_divide(sums->point, sums->sum, sums->prefix, vectors);
    DECLASSIFY(&met, sizeof met);
    return met;
}

TARGET uint64_t NAME(secp_mul_base)(struct kernels_lanes scalar, struct kernels_lanes out,
                                    uint64_t live) {
    struct packing packing;
    struct base_sums sums;
    struct order k[VECTORS_MAX];
    if (live == 0) return 0;
    packing_make(&packing, live);
    uint64_t valid = scalars_load(k, &packing, scalar);
    uint64_t met = valid & base_sum(&sums, k, packing.vectors, NULL);
    affine_store(sums.point, &packing, out, valid & ~met);
    base_sums_wipe(&sums, packing.vectors);
    wipe(k, sizeof k);
    wipe_stack_sums();
    if (met) (void)scalar_secp_mul_base(scalar, out, lanes_of(&packing, met));
    return lanes_of(&packing, valid);
}

// -- Challenges

// Points of 33 bytes: the entries that are points; the others get G.
ROUTINE uint64_t points_lift(struct affine *out, const struct packing *packing,
                             struct kernels_lanes points) {
    uint64_t valid = 0;
    for (int j = 0; j < packing->vectors; j += GROUPS_MAX) {
        const int groups = packing->vectors - j < GROUPS_MAX ? packing->vectors - j : GROUPS_MAX;
        struct lifting lifting[GROUPS_MAX];
        struct factor power[GROUPS_MAX];
        uint64_t form = 0, odd = 0;
        for (int g = 0; g < groups; g++) {
            vec word[4];
            words_load_big(word, packing, points, j + g, 1);
            struct factor x = factor_load(word);
            form |= mask_lanes(is_reduced(&x)) << LANES * g;
            lifting_begin(&lifting[g], &x);
            power[g] = lifting[g].cube;
        }
        for (int i = 0; i < groups * LANES; i++) {
            const uint8_t first = *lane_at(points, packing->lane[LANES * j + i]);
            if ((first & 0xfe) != 2) form &= ~((uint64_t)1 << i);
            odd |= (uint64_t)(first & 1) << i;
        }
        root_power(power, power, groups);
        for (int g = 0; g < groups; g++) {
            mask root =
                lifting_finish(&out[j + g], &lifting[g], &power[g], mask_from(odd >> LANES * g));
            valid |= (mask_lanes(root) & form >> LANES * g) << LANES * (j + g);
        }
    }
    return valid & entries_all(packing);
}

TARGET struct kernels_sum NAME(secp_mul_base_add)(struct kernels_lanes scalar,
                                                  struct kernels_lanes point,
                                                  struct kernels_lanes out, uint64_t live) {
    struct kernels_sum result = {0, 0};
    struct packing packing;
    struct base_sums sums;
    struct order k[VECTORS_MAX];
    struct affine hint[VECTORS_MAX];
    if (live == 0) return result;
    packing_make(&packing, live);
    uint64_t points = points_lift(hint, &packing, point);
    uint64_t valid = points & scalars_load(k, &packing, scalar);
    uint64_t met = valid & base_sum(&sums, k, packing.vectors, hint);
    affine_store(sums.point, &packing, out, valid & ~met);
    base_sums_wipe(&sums, packing.vectors);
    wipe(k, sizeof k);
    wipe_stack_sums();
    result.points = lanes_of(&packing, points);
    result.sums = lanes_of(&packing, valid & ~met);
    if (met)
        result.sums |= scalar_secp_mul_base_add(scalar, point, out, lanes_of(&packing, met)).sums;
    return result;
}

#include "ecdsa.h"
#include "hash.h"
#include "multiply.h"
