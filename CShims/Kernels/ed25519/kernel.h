// Ed25519 signatures over the lane vocabulary.
//
// How it differs from scalar.c. Hashes and points of a batch are computed side by side, scalars
// modulo l one after the other. One inversion serves the encodings of a batch. A key's decoding and
// its multiples are kept in a table, so that a verification is additions and a few doublings.
// Whoever includes this defines NAME(x), the row's prefix, the row whose `sha512` serves, as
// SHA512, and SIGN_LEAST and VERIFY_LEAST, the fewest signatures that are cheaper here than in the
// scalar row.
#include "../curve25519/order.h"
#include "../curve25519/packing.h"
#include "../rows.h"
#include "sum.h"

#define MESSAGE_MAX 64

// What is hashed: 32 or 64 bytes and the message; then the hashes.
struct hashing {
    uint8_t in[KERNELS_LANES_MAX][64 + MESSAGE_MAX], out[KERNELS_LANES_MAX][64];
};

// out := SHA-512(in[0..bytes)), entry by entry.
static void hash_all(struct hashing *hashing, size_t bytes, const struct packing *packing) {
    const struct kernels_lanes in = {hashing->in[0], sizeof hashing->in[0], NULL};
    const struct kernels_lanes out = {hashing->out[0], sizeof hashing->out[0], NULL};
    SHA512(in, bytes, out, entries_all(packing));
}

// Scalars of vector j.
INLINE void scalars_load(struct scalars *k, const uint8_t (*scalar)[32], int j) {
    const uint8_t *at[LANES];
    for (int i = 0; i < LANES; i++) at[i] = scalar[LANES * j + i];
    vec_load_half(at, 0, k->word);
}

// -- Signing

struct signing {
    struct packing packing;
    uint8_t expanded[64]; // a before it is clamped, and the prefix
    struct scalar_multiplier a;
    struct hashing hashing;
    struct scalar r[KERNELS_LANES_MAX];
    uint8_t scalar[KERNELS_LANES_MAX][32], encoded[KERNELS_LANES_MAX][32];
    struct doubler product[VECTORS_MAX];
    vec word[VECTORS_MAX][4];
};

static void key_expand(struct signing *s, const uint8_t *key) {
    const struct kernels_lanes seed = {(uint8_t *)(uintptr_t)key, 32, NULL};
    const struct kernels_lanes expanded = {s->expanded, sizeof s->expanded, NULL};
    scalar_sha512(seed, 32, expanded, 1);
    struct scalar a = scalar_clamped(s->expanded);
    s->a = scalar_multiplier(&a);
    wipe(&a, sizeof a);
}

// encoded := r B, entry by entry.
TARGET static void nonces_multiply(struct signing *s) {
    for (int i = 0; i < s->packing.vectors * LANES; i++)
        scalar_store(s->scalar[i], &s->r[i < s->packing.count ? i : 0]);
    for (int j = 0; j < s->packing.vectors; j++) {
        struct scalars k;
        scalars_load(&k, (const uint8_t(*)[32])s->scalar, j);
        base_multiply(&s->product[j], &k);
        wipe(&k, sizeof k);
    }
    points_encode(s->word, s->product, s->packing.vectors);
    for (int j = 0; j < s->packing.vectors; j++) words_store(s->encoded, s->word[j], j);
}

void NAME(ed25519_sign)(const uint8_t *key, struct kernels_lanes message, size_t bytes,
                        struct kernels_lanes signature, uint64_t live) {
    struct signing s;
    if (__builtin_popcountll(live) < SIGN_LEAST) {
        scalar_ed25519_sign(key, message, bytes, signature, live);
        return;
    }
    packing_make(&s.packing, live);
    key_expand(&s, key);
    for (int i = 0; i < s.packing.count; i++) {
        memcpy(s.hashing.in[i], s.expanded + 32, 32);
        memcpy(s.hashing.in[i] + 32, lane_at(message, s.packing.lane[i]), bytes);
    }
    hash_all(&s.hashing, 32 + bytes, &s.packing);
    for (int i = 0; i < s.packing.count; i++)
        s.r[i] = scalar_product_wide(s.hashing.out[i], &scalar_one);
    nonces_multiply(&s);

    for (int i = 0; i < s.packing.count; i++) {
        memcpy(s.hashing.in[i], s.encoded[i], 32);
        memcpy(s.hashing.in[i] + 32, key + 32, 32);
        memcpy(s.hashing.in[i] + 64, lane_at(message, s.packing.lane[i]), bytes);
    }
    hash_all(&s.hashing, 64 + bytes, &s.packing);
    for (int i = 0; i < s.packing.count; i++) {
        uint8_t *out = lane_at(signature, s.packing.lane[i]);
        struct scalar product = scalar_product_wide(s.hashing.out[i], &s.a);
        struct scalar sum = scalar_sum(&product, &s.r[i]);
        memcpy(out, s.encoded[i], 32);
        scalar_store(out + 32, &sum);
        wipe(&product, sizeof product);
    }
    wipe(&s, sizeof s);
    wipe_stack_deep();
}

// -- Verifying; all that is public, and takes time as it likes

// y of a point of order 1, 2, 4 or 8, whatever the sign.
static int is_small_order(const uint8_t encoded[32]) {
    static const uint64_t small[5][4] = {
        {0},
        {1},
        {0xffffffffffffffec, UINT64_MAX, UINT64_MAX, 0x7fffffffffffffff},
        {0xb027b2c28f95e826, 0xf098eff289f4c345, 0x3933c6d305acdfd5, 0x05fc536d880238b1},
        {0x4fd84d3d706a17c7, 0x0f67100d760b3cba, 0xc6cc392cfa53202a, 0x7a03ac9277fdc74e}};
    struct scalar y = scalar_load(encoded);
    y.v[3] &= ~((uint64_t)1 << 63);
    for (int i = 0; i < 5; i++)
        if (memcmp(y.v, small[i], sizeof small[i]) == 0) return 1;
    return 0;
}

// y is below p = 2^255 - 19.
static int is_reduced(const uint8_t encoded[32]) {
    struct scalar y = scalar_load(encoded);
    return y.v[0] < 0xffffffffffffffed || (y.v[1] & y.v[2]) != UINT64_MAX ||
           (y.v[3] | (uint64_t)1 << 63) != UINT64_MAX;
}

TARGET uint64_t NAME(ed25519_table)(struct kernels_lanes key, struct kernels_lanes table,
                                    uint64_t live) {
    struct packing packing;
    struct doubler a[VECTORS_MAX];
    uint64_t keys = 0;
    FOR_LANES(lane, live) {
        const uint8_t *encoded = lane_at(key, lane);
        if (is_reduced(encoded) && !is_small_order(encoded)) keys |= (uint64_t)1 << lane;
    }
    if (keys == 0) return 0;
    packing_make(&packing, keys);
    keys = lanes_of(&packing, points_decode(a, &packing, key));
    if (keys == 0) return 0;
    // Packed again without those that are no points, so that every entry has a table to write to.
    packing_make(&packing, keys);
    (void)points_decode(a, &packing, key);
    for (int j = 0; j < packing.vectors; j++) {
        uint8_t *at[LANES];
        for (int i = 0; i < LANES; i++) {
            int lane = packing.lane[LANES * j + i];
            at[i] = lane_at(table, lane);
            memset(at[i], 0, BLOCKS_PLACE);
            memcpy(at[i], lane_at(key, lane), 32);
        }
        struct sum x = sum_of(&a[j].x), bias = sum_bias(), minus = sum_sub(&bias, &x);
        a[j].x = factor_of(&minus);
        multiples_store(at, &a[j]);
    }
    return keys;
}

struct verification {
    struct packing packing;
    struct hashing hashing;
    uint8_t s[KERNELS_LANES_MAX][32], h[KERNELS_LANES_MAX][32], encoded[KERNELS_LANES_MAX][32];
    struct doubler sum[VECTORS_MAX];
    vec word[VECTORS_MAX][4];
};

static const struct scalar order = {
    {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0x0000000000000000, 0x1000000000000000}};

// out := s, or s + l if that is what is odd. Returns whether s < l; else out is of no use.
static int scalar_odd(uint8_t out[32], const uint8_t in[32]) {
    struct scalar s = scalar_load(in);
    int is_less = 0;
    for (int i = 3; i >= 0 && s.v[i] <= order.v[i]; i--)
        if (s.v[i] < order.v[i]) {
            is_less = 1;
            break;
        }
    unsigned __int128 sum = 0;
    for (int i = 0; i < 4 && (in[0] & 1) == 0; i++) {
        sum += (unsigned __int128)s.v[i] + order.v[i];
        s.v[i] = (uint64_t)sum;
        sum >>= 64;
    }
    scalar_store(out, &s);
    return is_less;
}

// encoded := s B - h A, entry by entry.
TARGET static void sums_make(struct verification *v, struct kernels_lanes table) {
    for (int j = 0; j < v->packing.vectors; j++) {
        const uint8_t *at[LANES];
        struct scalars s, h;
        for (int i = 0; i < LANES; i++) at[i] = lane_at(table, v->packing.lane[LANES * j + i]);
        scalars_load(&s, (const uint8_t(*)[32])v->s, j);
        scalars_load(&h, (const uint8_t(*)[32])v->h, j);
        sum_make(&v->sum[j], &s, &h, at);
    }
    points_encode(v->word, v->sum, v->packing.vectors);
    for (int j = 0; j < v->packing.vectors; j++) words_store(v->encoded, v->word[j], j);
}

uint64_t NAME(ed25519_verify)(struct kernels_lanes table, struct kernels_lanes message,
                              size_t bytes, struct kernels_lanes signature, uint64_t live) {
    struct verification v;
    uint64_t good = 0, is_less = 0;
    // What the scalar row calls a table is the key, with which ours begins.
    if (__builtin_popcountll(live) < VERIFY_LEAST)
        return scalar_ed25519_verify(table, message, bytes, signature, live);
    packing_make(&v.packing, live);
    for (int i = 0; i < v.packing.count; i++) {
        int lane = v.packing.lane[i];
        memcpy(v.hashing.in[i], lane_at(signature, lane), 32);
        memcpy(v.hashing.in[i] + 32, lane_at(table, lane), 32);
        memcpy(v.hashing.in[i] + 64, lane_at(message, lane), bytes);
    }
    hash_all(&v.hashing, 64 + bytes, &v.packing);
    for (int i = 0; i < v.packing.vectors * LANES; i++) {
        int from = i < v.packing.count ? i : 0;
        struct scalar h = scalar_product_wide(v.hashing.out[from], &scalar_one);
        scalar_store(v.h[i], &h);
        int fits = scalar_odd(v.s[i], lane_at(signature, v.packing.lane[i]) + 32);
        is_less |= (uint64_t)fits << i;
    }
    sums_make(&v, table);
    for (int i = 0; i < v.packing.count; i++) {
        int lane = v.packing.lane[i], is_same = memcmp(v.encoded[i], v.hashing.in[i], 32) == 0;
        if (is_same && (is_less >> i & 1) && !is_small_order(v.encoded[i]))
            good |= (uint64_t)1 << lane;
    }
    return good;
}
