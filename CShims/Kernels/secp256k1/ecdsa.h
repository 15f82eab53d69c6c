// Signatures over the lane vocabulary; part of kernel.h.
#pragma once

// -- Signing

struct signing {
    struct base_sums sums;
    struct order k[VECTORS_MAX], inverse[VECTORS_MAX];
    uint8_t nonce[KERNELS_LANES_MAX][32];
};

// r and s of vector j as they are written; the lanes where one is 0 come back.
ROUTINE mask sign_finish(vec word[8], const struct affine *point, const struct order *inverse,
                         const struct order *key, const struct order *hash) {
    vec coordinate[4];
    struct sum x = reduced(&point->x), y = reduced(&point->y);
    reduced_words(&x, coordinate);
    struct order r = order_load(coordinate), s;
    r = order_reduced(&r);
    s = order_mul(&r, key);
    s = order_add(&s, hash);
    s = order_mul(&s, inverse);
    s = order_reduced(&s);

    struct order low = order_negative(&s);
    low = order_reduced(&low);
    mask high = order_is_high(&s), odd = vec_bit_mask(y.v[0], 1) ^ high;
    s = order_select(high, &low, &s);
    order_words(&r, word);
    order_words(&s, word + 4);
    word[7] = vec_or(word[7], vec_select(odd, vec_set((uint64_t)1 << 63), vec_set(0)));
    words_turn(word);
    words_turn(word + 4);
    mask none = order_is_zero(&r) | order_is_zero(&s);
    wipe(&s, sizeof s);
    wipe(&low, sizeof low);
    return none;
}

TARGET uint64_t NAME(ecdsa_sign)(const uint8_t *key, struct kernels_lanes hash,
                                 struct kernels_lanes seed, struct kernels_lanes signature,
                                 uint64_t live) {
    const struct kernels_lanes key_lanes = {(uint8_t *)(uintptr_t)key, 0, NULL};
    struct packing packing;
    struct signing s;
    struct order d;
    if (live == 0) return 0;
    packing_make(&packing, live);
    uint64_t is_key = mask_lanes(scalar_load(&d, &packing, key_lanes, 0)) & 1;
    DECLASSIFY(&is_key, sizeof is_key);
    if (!is_key) return 0;

    const struct kernels_lanes nonces = {s.nonce[0], 32, NULL};
    NONCE(key, seed, nonces, live);
    (void)scalars_load(s.k, &packing, nonces);
    orders_inverse(s.inverse, s.k, packing.vectors);
    uint64_t met = base_sum(&s.sums, s.k, packing.vectors, NULL);
    for (int j = 0; j < packing.vectors; j++) {
        uint8_t aside[64], *at[LANES];
        vec z_words[4], word[8];
        words_load_big(z_words, &packing, hash, j, 0);
        struct order z = order_load(z_words);
        mask none = sign_finish(word, &s.sums.point[j], &s.inverse[j], &d, &z);
        met |= mask_lanes(none) << LANES * j;
        for (int i = 0; i < LANES; i++) {
            int entry = LANES * j + i;
            at[i] = entry < packing.count ? lane_at(signature, packing.lane[entry]) : aside;
        }
        vec_store_block(at, 0, 64, word);
        wipe(z_words, sizeof z_words);
    }
    DECLASSIFY(&met, sizeof met);
    met &= entries_all(&packing);
    base_sums_wipe(&s.sums, packing.vectors);
    wipe(s.k, sizeof s.k);
    wipe(s.inverse, sizeof s.inverse);
    wipe(s.nonce, sizeof s.nonce);
    wipe(&d, sizeof d);
    wipe_stack_sums();
    if (met) (void)scalar_ecdsa_sign(key, hash, seed, signature, lanes_of(&packing, met));
    return live;
}

// -- Checking. Everything is public from here on, and time depends on it.

TARGET uint64_t NAME(ecdsa_table)(struct kernels_lanes point, struct kernels_lanes table,
                                  uint64_t live) {
    uint64_t made = 0;
    FOR_LANES(lane, live) {
        // Whether it is a point, the library says.
        uint8_t parsed[64];
        const struct kernels_lanes from = {lane_at(point, lane), 0, NULL}, to = {parsed, 0, NULL};
        if (!scalar_ecdsa_table(from, to, 1)) continue;
        signer_make((struct secp_signer *)(void *)lane_at(table, lane), lane_at(point, lane));
        made |= (uint64_t)1 << lane;
    }
    return made;
}

// Both scalars of every entry, as signs; bit i of negative[b] is entry i.
struct recoded {
    uint8_t sign[2][KERNELS_LANES_MAX + LANES][32];
    uint64_t negative[2];
};

struct checking {
    struct affine node[VECTORS_MAX * 2 * SIGNER_WINDOWS], point[VECTORS_MAX];
    struct factor prefix[VECTORS_MAX * SIGNER_WINDOWS];
    struct jacobian sum[VECTORS_MAX];
    struct order r[VECTORS_MAX], s[VECTORS_MAX], inverse[VECTORS_MAX];
    struct recoded recoded;
    uint64_t odd; // entries whose R is odd
};

// a < b, 32 bytes big-endian.
static int is_below(const uint8_t *a, const uint8_t *b) {
    for (int i = 0; i < 32; i++)
        if (a[i] != b[i]) return a[i] < b[i];
    return 0;
}

// What the library asks of r and s before it recovers: 0 if it would refuse, 1 if not, 2 if r is so
// small that r + n may be meant: p - n has 129 bits.
static int signature_form(const uint8_t signature[64]) {
    static const uint8_t zero[32] = {0};
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                      0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
                                      0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    // (n + 1) / 2
    static const uint8_t half[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
                                     0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa1};
    uint8_t s[32];
    memcpy(s, signature + 32, 32);
    s[0] &= 0x7f;
    if (!is_below(signature, order) || !is_below(zero, signature)) return 0;
    if (!is_below(s, half) || !is_below(zero, s)) return 0;
    return load64_big(signature) == 0 ? 2 : 1;
}

// u1 = hash / s and u2 = r / s.
ROUTINE void signatures_load(struct checking *c, const struct packing *packing,
                             struct kernels_lanes hash, struct kernels_lanes signature) {
    c->recoded.negative[0] = c->recoded.negative[1] = c->odd = 0;
    for (int j = 0; j < packing->vectors; j++) {
        vec word[4];
        words_load_big(word, packing, signature, j, 0);
        c->r[j] = order_load(word);
        words_load_big(word, packing, signature, j, 32);
        c->odd |= mask_lanes(vec_bit_mask(word[3], (uint64_t)1 << 63)) << LANES * j;
        word[3] = vec_and(word[3], vec_set(LOW(63)));
        c->s[j] = order_load(word);
    }
    orders_inverse(c->inverse, c->s, packing->vectors);
    for (int j = 0; j < packing->vectors; j++) {
        vec word[4];
        words_load_big(word, packing, hash, j, 0);
        struct order u[2] = {order_load(word), c->r[j]};
        for (int b = 0; b < 2; b++) {
            struct digits digits;
            u[b] = order_mul(&u[b], &c->inverse[j]);
            u[b] = order_reduced(&u[b]);
            digits_of(&digits, &u[b], SIGNER_BITS * SIGNER_WINDOWS);
            words_store(c->recoded.sign[b], digits.word, j);
            c->recoded.negative[b] |= mask_lanes(digits.negative) << LANES * j;
        }
    }
}

// Where a vector's terms lie, window by window, and which of them are subtracted.
struct terms {
    const uint8_t *at[SIGNER_WINDOWS][LANES];
    uint64_t negative[SIGNER_WINDOWS];
};

// Of vector j's scalar b; table[i] is lane i's. Other signers' tables are seldom near, so the
// machine is told what will be read.
ROUTINE void terms_find(struct terms *terms, const struct recoded *recoded, int b, int j,
                        const struct secp_signer *const table[LANES]) {
    for (int window = 0; window < SIGNER_WINDOWS; window++) {
        uint64_t negative = recoded->negative[b] >> LANES * j;
        for (int i = 0; i < LANES; i++) {
            unsigned sign = recoded->sign[b][LANES * j + i][window];
            unsigned is_minus = (sign >> (SIGNER_BITS - 1)) ^ 1;
            unsigned entry = (sign ^ (0 - is_minus)) & (SIGNER_ENTRIES - 1);
            terms->at[window][i] = table[i]->entry[window][entry];
            __builtin_prefetch(terms->at[window][i]);
            negative ^= (uint64_t)is_minus << i;
        }
        terms->negative[window] = negative;
    }
}

ROUTINE void terms_read(struct affine *node, const struct terms *terms) {
    for (int window = 0; window < SIGNER_WINDOWS; window++)
        signer_read(&node[window], terms->at[window], mask_from(terms->negative[window]));
}

// Entries whose u1 G + u2 Q has the x that the signature names, and the parity; `met` are those
// that this cannot say of.
ROUTINE uint64_t sums_check(struct checking *c, const struct packing *packing,
                            struct kernels_lanes table, uint64_t *met) {
    struct tree tree = {c->node, c->prefix, packing->vectors, 2 * SIGNER_WINDOWS, 1};
    for (int j = 0; j < packing->vectors; j++) {
        const struct secp_signer *own[LANES], *base[LANES];
        for (int i = 0; i < LANES; i++) {
            base[i] = &secp_signer;
            own[i] = (const struct secp_signer *)(const void *)lane_at(
                table, packing->lane[LANES * j + i]);
        }
        struct affine *node = &c->node[j * tree.count];
        struct terms of_own, of_base;
        terms_find(&of_own, &c->recoded, 1, j, own);
        terms_find(&of_base, &c->recoded, 0, j, base);
        terms_read(node, &of_base);
        terms_read(node + SIGNER_WINDOWS, &of_own);
    }
    tree_shrink(&tree, 8);
    tree_sums(c->sum, &tree, NULL);
    *met = points_divide(c->point, c->sum, c->prefix, packing->vectors);

    uint64_t good = 0;
    for (int j = 0; j < packing->vectors; j++) {
        struct sum x = reduced(&c->point[j].x), y = reduced(&c->point[j].y);
        uint64_t odd = mask_lanes(vec_bit_mask(y.v[0], 1)) ^ c->odd >> LANES * j;
        good |= (mask_lanes(limbs_equal(x.v, c->r[j].v)) & ~odd) << LANES * j;
    }
    return good & ~*met;
}

// The scalar row on a table of this row.
static uint64_t verify_singly(struct kernels_lanes table, struct kernels_lanes hash,
                              struct kernels_lanes signature, uint64_t live) {
    uint64_t good = 0;
    FOR_LANES(lane, live) {
        uint8_t parsed[64];
        const uint64_t bit = (uint64_t)1 << lane;
        const struct kernels_lanes from = {lane_at(table, lane), 0, NULL}, to = {parsed, 0, NULL};
        if (scalar_ecdsa_table(from, to, bit))
            good |= scalar_ecdsa_verify(to, hash, signature, bit);
    }
    return good;
}

TARGET uint64_t NAME(ecdsa_verify)(struct kernels_lanes table, struct kernels_lanes hash,
                                   struct kernels_lanes signature, uint64_t live) {
    uint64_t formed = 0, single = 0, met;
    FOR_LANES(lane, live) {
        int form = signature_form(lane_at(signature, lane));
        formed |= (uint64_t)(form == 1) << lane;
        single |= (uint64_t)(form == 2) << lane;
    }
    uint64_t good = 0;
    if (formed) {
        struct checking c;
        struct packing packing;
        packing_make(&packing, formed);
        signatures_load(&c, &packing, hash, signature);
        good = sums_check(&c, &packing, table, &met);
        good = lanes_of(&packing, good);
        single |= lanes_of(&packing, met);
    }
    return good | verify_singly(table, hash, signature, single);
}
