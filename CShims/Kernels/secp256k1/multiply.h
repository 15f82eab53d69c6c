// Multiples of any point, constant time in the scalar; part of kernel.h.
//
// The curve has an endomorphism (x, y) -> (beta x, y), which multiplies by lambda (Gallant,
// Lambert, Vanstone, 2001). So k P = k1 P + k2 lambda P with k1 and k2 of half the bits: the
// doublings are halved. (k1, k2) may be moved by any vector of the lattice a + b lambda = 0 mod n;
// the two shortest, (a1, b1) and (a2, b2), have the parities (odd, odd) and (even, odd), so adding
// one, the other, both or none makes both halves odd, as digits want them.
#pragma once

#define HALF_BITS    4
#define HALF_WINDOWS 33 // halves are below 2^129, signs 132
#define HALF_ENTRIES (1 << (HALF_BITS - 1))

// round(2^384 b2 / n), round(-2^384 b1 / n).
static const uint64_t half_g1[5] = {
    0x3209a45dbb031, 0x1471e8ca7fe89, 0x284eb153daa8a, 0x6bcde86c90e49, 0x3086d221a7d4};
static const uint64_t half_g2[5] = {
    0x1b4ae8ac47f71, 0xac9df506c6157, 0xabfe4c4221208, 0x88286f547fa90, 0xe4437ed6010e};
// a1 = b2, a2, b1, and the negatives of b1, b2 and lambda, modulo n.
static const uint64_t half_a1[5] = {0xc90e49284eb15, 0x21a7d46bcde86, 0x3086d2, 0, 0};
static const uint64_t half_a2[5] = {0x1108d9d44cfd8, 0xf7a8e2f3f657c, 0x114ca50, 0, 0};
static const uint64_t half_b1[5] = {
    0xddee3c5765c7e, 0x10ae3a1813507, 0xffffffdd66b5e, 0xfffffffffffff, 0xffffffffffff};
static const uint64_t half_minus_b1[5] = {0x47fa90abfe4c3, 0xd6010e88286f5, 0xe4437e, 0, 0};
static const uint64_t half_minus_b2[5] = {
    0x5cda83db1562c, 0xc50774346dd76, 0xffffffe8a280a, 0xfffffffffffff, 0xffffffffffff};
static const uint64_t minus_lambda[5] = {
    0xfc810b51283cf, 0xfc8ec739c2e0c, 0x7ed9ba4a880b9, 0xcf1f5ad9e3fd7, 0xac9c52b33fa3};
static const uint64_t beta[5] = {
    0x96c28719501ee, 0x7512f58995c13, 0xc3434e99cf049, 0x7106e64479ea, 0x7ae96a2b657c};

INLINE struct order order_set(const uint64_t limb[5]) {
    struct order out;
    for (int i = 0; i < 5; i++) out.v[i] = vec_set(limb[i]);
    return out;
}

// a * b / 2^384, rounded.
INLINE struct order order_mul_shift(const struct order *a, const uint64_t b[5]) {
    vec c[10], none = vec_set(0);
    struct order factor = order_set(b);
    order_product(c, a, &factor);
    c[7] = vec_add(c[7], vec_set((uint64_t)1 << 19));
    order_carry(c, 10);
    struct order out = {{none, none, none, none, none}};
    for (int i = 0; i < 3; i++) {
        vec above = i < 2 ? vec_and(vec_shl(c[8 + i], 32), vec_set(LOW(52))) : none;
        out.v[i] = vec_or(vec_shr(c[7 + i], 20), above);
    }
    return out;
}

// a + b in the lanes of m.
INLINE struct order order_add_in(mask m, const struct order *a, const uint64_t b[5]) {
    struct order term = order_set(b), sum = order_add(a, &term);
    return order_select(m, &sum, a);
}

// The size of a reduced number that stands near 0 or near n, and the lanes where it is near n.
INLINE struct order order_size(const struct order *a, mask *negative) {
    struct order other = order_negative(a);
    other = order_reduced(&other);
    *negative = order_is_high(a);
    return order_select(*negative, &other, a);
}

// Signs of the two halves of a scalar.
ROUTINE void halves_of(struct digits half[2], const struct order *k) {
    const struct order b1 = order_set(half_minus_b1), b2 = order_set(half_minus_b2),
                       lambda = order_set(minus_lambda);
    struct order c1 = order_mul_shift(k, half_g1), c2 = order_mul_shift(k, half_g2), size[2];
    c1 = order_mul(&c1, &b1);
    c2 = order_mul(&c2, &b2);
    struct order k2 = order_add(&c1, &c2), k1 = order_mul(&k2, &lambda);
    k1 = order_add(&k1, k);
    k1 = order_reduced(&k1);
    k2 = order_reduced(&k2);

    mask negative[2];
    size[0] = order_size(&k1, &negative[0]);
    size[1] = order_size(&k2, &negative[1]);
    mask first = (mask)~vec_bit_mask(size[0].v[0], 1), odd = vec_bit_mask(size[1].v[0], 1);
    mask second = (mask) ~(odd ^ first);
    k1 = order_add_in(first, &k1, half_a1);
    k2 = order_add_in(first, &k2, half_b1);
    k1 = order_add_in(second, &k1, half_a2);
    k2 = order_add_in(second, &k2, half_a1);
    k1 = order_reduced(&k1);
    k2 = order_reduced(&k2);
    size[0] = order_size(&k1, &negative[0]);
    size[1] = order_size(&k2, &negative[1]);
    for (int i = 0; i < 2; i++)
        signs_of(&half[i], &size[i], HALF_BITS * HALF_WINDOWS, negative[i] & LANES_ALL);
    wipe(size, sizeof size);
    wipe(&k1, sizeof k1);
    wipe(&k2, sizeof k2);
    wipe(&c1, sizeof c1);
    wipe(&c2, sizeof c2);
}

// Odd multiples of all vectors' points: entry e is (2 e + 1) P, and beta_x its x times beta.
struct half_tables {
    struct affine entry[VECTORS_MAX][HALF_ENTRIES];
    struct factor beta_x[VECTORS_MAX][HALF_ENTRIES];
};

// Points are public, and so are their tables.
#define HALF_STEPS (HALF_BITS - 1) // 2 P, 4 P and so on
struct half_scratch {
    struct jacobian chain[VECTORS_MAX * HALF_STEPS];
    struct affine step[VECTORS_MAX * HALF_STEPS];
    struct factor prefix[VECTORS_MAX * HALF_ENTRIES];
};

ROUTINE void half_tables_make(struct half_tables *tables, struct half_scratch *s,
                              const struct affine *points, int vectors) {
    const struct factor by = factor_set(beta);
    for (int j = 0; j < vectors; j++) {
        struct jacobian p = jacobian_of(&points[j]);
        for (int t = 0; t < HALF_STEPS; t++) {
            jacobians_double(&p, 1, 1);
            s->chain[j * HALF_STEPS + t] = p;
        }
        tables->entry[j][0] = points[j];
    }
    (void)points_divide(s->step, s->chain, s->prefix, vectors * HALF_STEPS);
    for (int t = 0; t < HALF_STEPS; t++)
        tables_grow(tables->entry[0], HALF_ENTRIES, s->step + t, HALF_STEPS, s->prefix, vectors, t);
    for (int j = 0; j < vectors; j++)
        for (int e = 0; e < HALF_ENTRIES; e++)
            tables->beta_x[j][e] = mul(&tables->entry[j][e].x, &by);
}

// Digit j of a half times the point of a vector, or times lambda P. Reads every entry.
INLINE void half_read(struct affine *out, const struct half_tables *tables, int vector,
                      const struct digits *half, int j, int by_lambda) {
    const struct affine *entry = tables->entry[vector];
    const struct factor *beta_x = tables->beta_x[vector];
    mask negative;
    vec index = digit(half, HALF_BITS, j, &negative);
    out->x = by_lambda ? beta_x[0] : entry[0].x;
    out->y = entry[0].y;
    for (int e = 1; e < HALF_ENTRIES; e++) {
        mask chosen = vec_equal_mask(index, (uint64_t)e);
        out->x = factor_select(chosen, by_lambda ? &beta_x[e] : &entry[e].x, &out->x);
        out->y = factor_select(chosen, &entry[e].y, &out->y);
    }
    negate_in(out, negative);
}

// To `count` vectors from `first` on.
ROUTINE void halves_add(struct jacobian *sum, const struct half_tables *tables, int first,
                        struct digits (*half)[2], int j, int by_lambda, int count) {
    struct affine term[ABREAST];
    const struct affine *at[ABREAST];
    EACH(g) {
        half_read(&term[g], tables, first + g, &half[g][by_lambda], j, by_lambda);
        at[g] = &term[g];
    }
    jacobians_add(sum, at, count);
}

// sum[g] := k[g] times the point of vector first + g, for 1 or ABREAST vectors.
ROUTINE void halves_multiply(struct jacobian *sum, const struct half_tables *tables, int first,
                             const struct order *k, int count) {
    struct digits half[ABREAST][2];
    struct affine term;
    EACH(g) {
        halves_of(half[g], &k[g]);
        half_read(&term, tables, first + g, &half[g][0], HALF_WINDOWS - 1, 0);
        sum[g] = jacobian_of(&term);
    }
    halves_add(sum, tables, first, half, HALF_WINDOWS - 1, 1, count);
    for (int j = HALF_WINDOWS - 2; j >= 0; j--) {
        jacobians_double(sum, HALF_BITS, count);
        halves_add(sum, tables, first, half, j, 0, count);
        halves_add(sum, tables, first, half, j, 1, count);
    }
    wipe(half, sizeof half);
    wipe(&term, sizeof term);
}

// Points x || y: the entries that are points; the others get G.
ROUTINE uint64_t points_load(struct affine *out, const struct packing *packing,
                             struct kernels_lanes points) {
    uint64_t valid = 0;
    for (int j = 0; j < packing->vectors; j++) {
        vec word[8], generator[8];
        const uint8_t *at[LANES];
        for (int i = 0; i < LANES; i++) at[i] = secp_generator;
        vec_load_block(at, 0, 64, generator);
        for (int i = 0; i < LANES; i++) at[i] = lane_at(points, packing->lane[LANES * j + i]);
        vec_load_block(at, 0, 64, word);
        for (int half = 0; half < 8; half += 4)
            words_turn(word + half), words_turn(generator + half);
        const struct affine g = {factor_load(generator), factor_load(generator + 4)};
        struct affine point = {factor_load(word), factor_load(word + 4)};
        mask is_point = on_curve(&point) & is_reduced(&point.x) & is_reduced(&point.y);
        out[j].x = factor_select(is_point, &point.x, &g.x);
        out[j].y = factor_select(is_point, &point.y, &g.y);
        valid |= mask_lanes(is_point) << LANES * j;
    }
    return valid & entries_all(packing);
}

struct multiplying {
    struct affine point[VECTORS_MAX], product[VECTORS_MAX];
    struct half_tables tables;
    struct half_scratch scratch;
    struct order k[VECTORS_MAX];
    struct jacobian sum[VECTORS_MAX];
};

TARGET uint64_t NAME(secp_mul)(struct kernels_lanes point, struct kernels_lanes scalar,
                               struct kernels_lanes out, uint64_t live) {
    struct packing packing;
    struct multiplying m;
    if (live == 0) return 0;
    packing_make(&packing, live);
    const int vectors = packing.vectors;
    uint64_t points = points_load(m.point, &packing, point);
    uint64_t valid = points & scalars_load(m.k, &packing, scalar);
    half_tables_make(&m.tables, &m.scratch, m.point, vectors);
    for (int j = 0; j < vectors; j += ABREAST) {
        const int count = vectors - j < ABREAST ? 1 : ABREAST;
        halves_multiply(&m.sum[j], &m.tables, j, &m.k[j], count);
    }
    uint64_t met = points_divide(m.product, m.sum, m.scratch.prefix, vectors);
    DECLASSIFY(&met, sizeof met);
    met &= valid;
    affine_store(m.product, &packing, out, valid & ~met);
    wipe(m.k, sizeof m.k);
    wipe(m.sum, sizeof m.sum);
    wipe(m.product, sizeof m.product);
    wipe(m.scratch.prefix, sizeof m.scratch.prefix);
    wipe_stack_sums();
    if (met) (void)scalar_secp_mul(point, scalar, out, lanes_of(&packing, met));
    return lanes_of(&packing, valid);
}
