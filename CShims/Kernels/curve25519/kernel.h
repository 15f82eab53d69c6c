// The Sphinx group step over the lane vocabulary.
//
// How it differs from scalar.c. Live lanes are packed into vectors of LANES, several of them side
// by side. A point's multiples are kept in a comb (comb.h) instead of a table of eight, and one
// inversion serves the whole batch. Whoever includes this defines NAME(x), the row's prefix, and
// the row whose `derive` serves, as DERIVE, and MUL_LEAST, the fewest points that one
// multiplication each is cheaper for here than in the scalar row.
#include "../blake3/blake3.h"
#include "../rows.h"
#include "order.h"
#include "packing.h"
#include "table.h"

// Decodes every vector and makes its comb; bit i of the result is entry i.
static uint64_t points_comb(struct comb *comb, const struct packing *packing,
                            struct kernels_lanes points) {
    struct doubler a[VECTORS_MAX];
    uint64_t valid = points_decode(a, packing, points);
    for (int j = 0; j < packing->vectors; j += ABREAST)
        combs_make(&comb[j], &a[j], packing->vectors - j < ABREAST ? 1 : ABREAST);
    return valid;
}

// What a batch of multiplications works on. The combs are made of points that travel in the clear;
// the rest is secret.
struct multiplication {
    struct packing packing;
    struct comb comb[VECTORS_MAX];
    struct doubler product[VECTORS_MAX];
    vec word[VECTORS_MAX][4];
    uint8_t encoded[KERNELS_LANES_MAX][32], scalar[KERNELS_LANES_MAX][32];
};

static void multiplication_wipe(struct multiplication *m) {
    wipe(m->product, sizeof m->product);
    wipe(m->word, sizeof m->word);
    wipe(m->encoded, sizeof m->encoded);
    wipe(m->scalar, sizeof m->scalar);
    wipe_stack_deep();
}

// encoded := scalar * point, entry by entry.
TARGET static void multiply_all(struct multiplication *m) {
    for (int j = 0; j < m->packing.vectors; j++) {
        const uint8_t *at[LANES];
        struct scalars k;
        for (int i = 0; i < LANES; i++) at[i] = m->scalar[LANES * j + i];
        for (int i = 0; i < 4; i++) k.word[i] = vec_load(at, 8 * (size_t)i);
        comb_multiply(&m->product[j], &m->comb[j], &k);
        wipe(&k, sizeof k);
    }
    points_encode(m->word, m->product, m->packing.vectors);
    for (int j = 0; j < m->packing.vectors; j++) words_store(m->encoded, m->word[j], j);
}

// secret := KDF(node's key || shared point); scalar := that of KDF(alpha || shared point).
static void derive_all(struct multiplication *m, struct kernels_lanes alpha,
                       const uint8_t *node_public, struct kernels_lanes secret, uint64_t valid) {
    uint8_t shared[KERNELS_LANES_MAX][32], blinding[KERNELS_LANES_MAX][32];
    for (int i = 0; i < m->packing.count; i++)
        memcpy(shared[m->packing.lane[i]], m->encoded[i], 32);
    struct kernels_lanes key = {shared[0], 32, NULL}, out = {blinding[0], 32, NULL};
    struct kernels_lanes node = {(uint8_t *)(uintptr_t)node_public, 0, NULL};
    DERIVE(KERNELS_SPHINX_SECRET, node, 32, key, 32, secret, 32, valid);
    DERIVE(KERNELS_SPHINX_BLINDING, alpha, 32, key, 32, out, 32, valid);
    for (int i = 0; i < m->packing.count; i++) {
        int lane = m->packing.lane[i];
        if ((valid >> lane & 1) == 0) continue;
        struct scalar b = scalar_clamped(blinding[lane]);
        scalar_store(m->scalar[i], &b);
        wipe(&b, sizeof b);
    }
    wipe(shared, sizeof shared);
    wipe(blinding, sizeof blinding);
}

// Variable time: the next alpha travels in the clear.
static int is_neutral(const uint8_t encoded[32]) {
    uint8_t rest = encoded[0] ^ 1;
    for (int i = 1; i < 32; i++) rest |= encoded[i];
    return rest == 0;
}

struct kernels_alpha NAME(alpha_step)(struct kernels_lanes alpha, const uint8_t *node_scalar,
                                      const uint8_t *node_public, struct kernels_lanes secret,
                                      struct kernels_lanes next, uint64_t live) {
    struct kernels_alpha outcome = {0, 0};
    struct multiplication m;
    if (live == 0) return outcome;
    packing_make(&m.packing, live);
    uint64_t valid = points_comb(m.comb, &m.packing, alpha);
    outcome.valid = lanes_of(&m.packing, valid);

    for (int i = 0; i < m.packing.vectors * LANES; i++) memcpy(m.scalar[i], node_scalar, 32);
    multiply_all(&m);
    derive_all(&m, alpha, node_public, secret, outcome.valid);
    multiply_all(&m);

    for (int i = 0; i < m.packing.count; i++) {
        int lane = m.packing.lane[i];
        if ((valid >> i & 1) == 0) continue;
        DECLASSIFY(m.encoded[i], 32);
        memcpy(lane_at(next, lane), m.encoded[i], 32);
        outcome.neutral |= (uint64_t)is_neutral(m.encoded[i]) << lane;
    }
    multiplication_wipe(&m);
    return outcome;
}

uint64_t NAME(edwards_mul)(struct kernels_lanes point, struct kernels_lanes scalar,
                           struct kernels_lanes out, uint64_t live) {
    struct multiplication m;
    if (__builtin_popcountll(live) < MUL_LEAST) return scalar_edwards_mul(point, scalar, out, live);
    packing_make(&m.packing, live);
    uint64_t valid = points_comb(m.comb, &m.packing, point);
    for (int i = 0; i < m.packing.vectors * LANES; i++)
        memcpy(m.scalar[i], lane_at(scalar, m.packing.lane[i]), 32);
    multiply_all(&m);
    for (int i = 0; i < m.packing.count; i++)
        if (valid >> i & 1) memcpy(lane_at(out, m.packing.lane[i]), m.encoded[i], 32);
    uint64_t lanes = lanes_of(&m.packing, valid);
    multiplication_wipe(&m);
    return lanes;
}

// Makes the tables of vector j, for its entries that are points.
TARGET static void tables_store(const struct packing *packing, const struct doubler *a, int j,
                                uint64_t valid, struct kernels_lanes points,
                                struct kernels_lanes table) {
    uint8_t *at[LANES], aside[KERNELS_TABLE_BYTES];
    struct kept kept;
    kept_make(&kept, a);
    for (int i = 0; i < LANES; i++) {
        int entry = LANES * j + i;
        at[i] = valid >> entry & 1 ? lane_at(table, packing->lane[entry]) : aside;
        if (at[i] == aside) continue;
        memset(at[i], 0, KERNELS_TABLE_BYTES);
        memcpy(at[i], lane_at(points, packing->lane[entry]), 32);
    }
    kept_store(at, &kept);
}

uint64_t NAME(edwards_table)(struct kernels_lanes point, struct kernels_lanes table,
                             uint64_t live) {
    struct packing packing;
    struct doubler a[VECTORS_MAX];
    if (live == 0) return 0;
    packing_make(&packing, live);
    uint64_t valid = points_decode(a, &packing, point);
    for (int j = 0; j < packing.vectors; j++) tables_store(&packing, &a[j], j, valid, point, table);
    return lanes_of(&packing, valid);
}

// What multiplications without a comb of their own leave: secret.
struct products {
    struct packing packing;
    struct doubler product[VECTORS_MAX];
    vec word[VECTORS_MAX][4];
    uint8_t encoded[KERNELS_LANES_MAX][32];
};

// Encodes the products to their lanes, and forgets them.
TARGET static void products_store(struct products *p, struct kernels_lanes out) {
    points_encode(p->word, p->product, p->packing.vectors);
    for (int j = 0; j < p->packing.vectors; j++) words_store(p->encoded, p->word[j], j);
    for (int i = 0; i < p->packing.count; i++)
        memcpy(lane_at(out, p->packing.lane[i]), p->encoded[i], 32);
    wipe(p->product, sizeof p->product);
    wipe(p->word, sizeof p->word);
    wipe(p->encoded, sizeof p->encoded);
    wipe_stack_deep();
}

TARGET void NAME(edwards_mul_table)(struct kernels_lanes table, struct kernels_lanes scalar,
                                    struct kernels_lanes out, uint64_t live) {
    struct products p;
    struct kept kept;
    if (live == 0) return;
    packing_make(&p.packing, live);
    for (int j = 0; j < p.packing.vectors; j++) {
        const uint8_t *at[LANES];
        struct scalars k;
        for (int i = 0; i < LANES; i++) at[i] = lane_at(table, p.packing.lane[LANES * j + i]);
        kept_load(&kept, at);
        words_load(k.word, &p.packing, scalar, j);
        kept_multiply(&p.product[j], &kept, &k);
        wipe(&k, sizeof k);
    }
    products_store(&p, out);
}

TARGET void NAME(edwards_mul_base)(struct kernels_lanes scalar, struct kernels_lanes out,
                                   uint64_t live) {
    struct products p;
    if (live == 0) return;
    packing_make(&p.packing, live);
    for (int j = 0; j < p.packing.vectors; j++) {
        struct scalars k;
        words_load(k.word, &p.packing, scalar, j);
        base_multiply(&p.product[j], &k);
        wipe(&k, sizeof k);
    }
    products_store(&p, out);
}
