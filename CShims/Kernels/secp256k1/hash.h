// hash_to_curve over the lane vocabulary; part of kernel.h.
//
// How it differs from scalar.c. Both maps of a lane go side by side, and their roots' powers too,
// for two vectors at a time; one inversion serves the batch. The expansion runs over the row's
// Keccak.
#pragma once
#include "complete.h"
#include "map.h"

#define MESSAGE_MAX 128 // longer messages go to the scalar row
#define EXPAND_MAX  (136 + MESSAGE_MAX + 3 + 255 + 1)

struct expanding {
    uint8_t text[KERNELS_LANES_MAX][EXPAND_MAX];
    uint8_t first[KERNELS_LANES_MAX][32], uniform[KERNELS_LANES_MAX][96];
};

// expand_message_xmd to 96 bytes with Keccak-256: b_0 of the message, then b_1, b_2, b_3, each of
// b_0 xor the one before. Entry i of the result is that of lane packing->lane[i].
ROUTINE void expand_all(struct expanding *e, const struct packing *packing,
                        struct kernels_lanes msg, size_t msg_bytes, const uint8_t *dst,
                        size_t dst_bytes) {
    const struct kernels_lanes text = {e->text[0], EXPAND_MAX, NULL},
                               first = {e->first[0], 32, NULL};
    const uint64_t live = entries_all(packing);
    for (int i = 0; i < packing->count; i++) {
        uint8_t *at = e->text[i];
        memset(at, 0, 136);
        memcpy(at + 136, lane_at(msg, packing->lane[i]), msg_bytes);
        at += 136 + msg_bytes;
        at[0] = 0, at[1] = 96, at[2] = 0;
        memcpy(at + 3, dst, dst_bytes);
        at[3 + dst_bytes] = (uint8_t)dst_bytes;
    }
    KECCAK(text, 136 + msg_bytes + 4 + dst_bytes, first, live);
    for (int block = 0; block < 3; block++) {
        const struct kernels_lanes out = {e->uniform[0] + 32 * block, 96, NULL};
        for (int i = 0; i < packing->count; i++) {
            uint8_t *at = e->text[i];
            for (int k = 0; k < 32; k++)
                at[k] = e->first[i][k] ^ (block ? e->uniform[i][32 * (block - 1) + k] : 0);
            at[32] = (uint8_t)(block + 1);
            memcpy(at + 33, dst, dst_bytes);
            at[33 + dst_bytes] = (uint8_t)dst_bytes;
        }
        KECCAK(text, 34 + dst_bytes, out, live);
    }
}

// -- Field elements one by one: what is not a product is rare here, so everything is a factor.

INLINE struct factor constant(const struct fp *a) {
    const vec word[4] = {vec_set(a->v[0]), vec_set(a->v[1]), vec_set(a->v[2]), vec_set(a->v[3])};
    return factor_load(word);
}

INLINE mask is_null(const struct factor *a) {
    struct sum value = reduced(a);
    return reduced_is_zero(&value);
}

INLINE mask is_odd(const struct factor *a) { return vec_bit_mask(reduced(a).v[0], 1); }

// 48 bytes, big-endian, modulo p: limbs of 52 bits, of which three count 2^260.
INLINE struct factor load48(const vec in[6]) {
    vec w[6];
    column columns[10];
    for (int i = 0; i < 6; i++) w[i] = vec_swap_bytes(in[5 - i]);
    for (int k = 0; k < 10; k++) {
        const int bit = 52 * k, word = bit / 64, shift = bit % 64;
        vec limb = vec_set(0);
        if (word < 6) limb = vec_shr(w[word], shift);
        if (word + 1 < 6 && shift > 12) limb = vec_or(limb, vec_shl(w[word + 1], 64 - shift));
        columns[k] = column_of(vec_and(limb, vec_set(LOW(52))));
    }
    struct sum value = fold(columns);
    return factor_of(&value);
}

// -- The map

// One map under way: x = numerator / denominator, y^2 = g / d3 there.
struct mapping {
    struct factor u, zuu, numerator, denominator, g, d3, uv;
};

INLINE void mapping_begin(struct mapping *m, struct factor *base, const struct factor *u) {
    const struct factor one = factor_small(1), a = constant(&curve_a), b = constant(&curve_b);
    const struct factor minus_z_here = constant(&minus_z), z = negative(&minus_z_here);
    struct factor uu = square(u), t = mul(&minus_z_here, &uu);
    m->u = *u;
    m->zuu = negative(&t);
    struct factor sum = square(&m->zuu);
    sum = plus(&sum, &m->zuu);
    t = plus(&sum, &one);
    m->numerator = mul(&b, &t);
    // The exceptional case, sum = 0, takes Z for -sum.
    struct factor divisor = negative(&sum);
    divisor = factor_select(is_null(&sum), &z, &divisor);
    m->denominator = mul(&a, &divisor);

    // g = n^3 + A n d^2 + B d^3
    struct factor nn = square(&m->numerator), dd = square(&m->denominator), add = mul(&a, &dd);
    m->g = plus(&nn, &add);
    m->g = mul(&m->g, &m->numerator);
    m->d3 = mul(&dd, &m->denominator);
    add = mul(&b, &m->d3);
    m->g = plus(&m->g, &add);

    struct factor vv = square(&m->d3);
    m->uv = mul(&m->g, &m->d3);
    *base = mul(&vv, &m->uv);
}

// power is base^((p - 3) / 4). Leaves x's numerator in m, and gives y.
INLINE struct factor mapping_finish(struct mapping *m, const struct factor *power) {
    const struct factor turn = constant(&root_minus_z);
    struct factor root = mul(power, &m->uv), other = mul(&root, &turn);
    struct factor check = square(&root);
    check = mul(&check, &m->d3);
    check = less(&check, &m->g);
    mask is_square = is_null(&check);
    root = factor_select(is_square, &root, &other);

    struct factor y = mul(&m->zuu, &m->u), x = mul(&m->zuu, &m->numerator);
    y = mul(&y, &root);
    y = factor_select(is_square, &root, &y);
    m->numerator = factor_select(is_square, &m->numerator, &x);
    struct factor opposite = negative(&y);
    return factor_select(is_odd(&m->u) ^ is_odd(&y), &opposite, &y);
}

// d^degree * polynomial(n / d)
INLINE struct factor evaluate_at(const struct fp *coefficient, int degree, const struct factor *n,
                                 const struct factor *d) {
    struct factor sum = constant(&coefficient[degree]), power = *d;
    for (int i = degree - 1; i >= 0; i--) {
        struct factor term = constant(&coefficient[i]);
        term = mul(&term, &power);
        sum = mul(&sum, n);
        sum = plus(&sum, &term);
        if (i > 0) power = mul(&power, d);
    }
    return sum;
}

ROUTINE void isogeny_apply(struct projective *out, const struct mapping *m,
                           const struct factor *y) {
    const struct factor zero = factor_small(0), one = factor_small(1);
    const struct factor *n = &m->numerator, *d = &m->denominator;
    struct factor xn = evaluate_at(x_numerator, 3, n, d), xd = evaluate_at(x_denominator, 2, n, d);
    struct factor yn = evaluate_at(y_numerator, 3, n, d), yd = evaluate_at(y_denominator, 3, n, d);
    xd = mul(&xd, d);
    yn = mul(&yn, y);
    out->x = mul(&xn, &yd);
    out->y = mul(&yn, &xd);
    out->z = mul(&xd, &yd);
    // The kernel goes to the neutral element.
    mask kernel = is_null(&out->z);
    out->x = factor_select(kernel, &zero, &out->x);
    out->y = factor_select(kernel, &one, &out->y);
}

// -- The batch

#define MAPS (GROUPS_MAX / 2) // vectors whose maps go side by side

struct hashing {
    struct expanding expanding;
    struct jacobian sum[VECTORS_MAX]; // x = X / Z, y = Y / Z here
    struct affine point[VECTORS_MAX];
    struct factor prefix[VECTORS_MAX];
};

// The sums of vectors j ... j + count - 1, count <= MAPS.
ROUTINE void vectors_hash(struct hashing *h, int j, int count) {
    struct mapping mapping[2 * MAPS];
    struct factor power[2 * MAPS];
    struct projective half[2], sum;
    for (int i = 0; i < 2 * count; i++) {
        const uint8_t *at[LANES];
        vec word[8];
        for (int k = 0; k < LANES; k++) {
            // Places that no lane fills repeat the first entry.
            at[k] = h->expanding.uniform[LANES * (j + i / 2) + k] + 48 * (i % 2);
        }
        vec_load_block(at, 0, 48, word);
        struct factor u = load48(word);
        mapping_begin(&mapping[i], &power[i], &u);
    }
    root_power(power, power, 2 * count);
    for (int v = 0; v < count; v++) {
        for (int i = 0; i < 2; i++) {
            struct factor y = mapping_finish(&mapping[2 * v + i], &power[2 * v + i]);
            isogeny_apply(&half[i], &mapping[2 * v + i], &y);
        }
        projective_add(&sum, &half[0], &half[1]);
        h->sum[j + v] = (struct jacobian){sum.x, sum.y, sum.z};
    }
    wipe(mapping, sizeof mapping);
    wipe(power, sizeof power);
    wipe(half, sizeof half);
    wipe(&sum, sizeof sum);
}

// Divides by Z; a point at infinity becomes (0, 0), as in scalar.c.
ROUTINE void sums_divide(struct hashing *h, int vectors) {
    struct factor product = factor_small(1), inverse;
    const struct factor one = product, zero = factor_small(0);
    mask none[VECTORS_MAX];
    for (int v = 0; v < vectors; v++) {
        none[v] = is_null(&h->sum[v].z);
        h->sum[v].z = factor_select(none[v], &one, &h->sum[v].z);
        h->prefix[v] = product;
        product = mul(&product, &h->sum[v].z);
    }
    factor_inverse(&inverse, &product);
    for (int v = vectors - 1; v >= 0; v--) {
        struct factor z = mul(&inverse, &h->prefix[v]);
        inverse = mul(&inverse, &h->sum[v].z);
        z = factor_select(none[v], &zero, &z);
        h->point[v].x = mul(&h->sum[v].x, &z);
        h->point[v].y = mul(&h->sum[v].y, &z);
    }
}

TARGET void NAME(hash_to_curve)(struct kernels_lanes msg, size_t msg_bytes, const uint8_t *dst,
                                size_t dst_bytes, struct kernels_lanes out, uint64_t live) {
    struct packing packing;
    struct hashing h;
    if (live == 0) return;
    if (msg_bytes > MESSAGE_MAX || __builtin_popcountll(live) < HASH_LEAST) {
        scalar_hash_to_curve(msg, msg_bytes, dst, dst_bytes, out, live);
        return;
    }
    packing_make(&packing, live);
    expand_all(&h.expanding, &packing, msg, msg_bytes, dst, dst_bytes);
    for (int i = packing.count; i < packing.vectors * LANES; i++)
        memcpy(h.expanding.uniform[i], h.expanding.uniform[0], sizeof h.expanding.uniform[0]);
    for (int j = 0; j < packing.vectors; j += MAPS)
        vectors_hash(&h, j, packing.vectors - j < MAPS ? packing.vectors - j : MAPS);
    sums_divide(&h, packing.vectors);
    affine_store(h.point, &packing, out, entries_all(&packing));
    wipe(&h, sizeof h);
    wipe_stack_sums();
}
