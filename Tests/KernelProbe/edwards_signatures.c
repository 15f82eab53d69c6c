#include "edwards_signatures.h"
#include "signatures.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define KEYS   16
#define NONCES 32

static uint8_t *at(struct kernels_lanes lanes, int lane) {
    return lanes.base + lanes.stride * (lanes.slot ? lanes.slot[lane] : (size_t)lane);
}

static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

// -- Keys and nonces: a scalar times B, plus a multiple of a point of order 8.

struct key {
    uint8_t scalar[32], point[32];
    unsigned torsion; // which multiple
};

struct pool {
    int is_made;
    uint8_t torsion[8][32];
    struct key key[KEYS];
    uint8_t nonce[NONCES][32], r[NONCES][8][32]; // r with each torsion
    const struct kernels *row[8];
    uint8_t *table[8];
};

static void point_of(const struct pool *pool, const uint8_t scalar[32], unsigned torsion,
                     uint8_t out[32]) {
    // Fails for 0, and yet writes the neutral element.
    (void)!crypto_scalarmult_ed25519_base_noclamp(out, scalar);
    if (torsion % 8 != 0 && crypto_core_ed25519_add(out, out, pool->torsion[torsion % 8]) != 0)
        abort();
}

// 0, 1, 2, 8 and their opposites; (l + 1) / 2; others, of their number.
static void scalar_at(uint8_t out[32], int which) {
    static const uint8_t small[4] = {1, 0, 2, 8};
    memset(out, 0, 32);
    if (which < 8) out[0] = small[which / 2];
    if (which == 8) out[0] = 2, (void)crypto_core_ed25519_scalar_invert(out, out);
    if (which < 8 && which % 2 == 1) crypto_core_ed25519_scalar_negate(out, out);
    for (int i = 0; i < 31 && which > 8; i++) out[i] = (uint8_t)(which * 37 + i * 11 + 5);
}

static void key_make(const struct pool *pool, struct key *key, unsigned torsion) {
    key->torsion = torsion % 8;
    point_of(pool, key->scalar, torsion, key->point);
}

static struct pool *pool_of_thread(void) {
    static const uint8_t eighth[32] = {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
                                       0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
                                       0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
                                       0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
    static _Thread_local struct pool pool;
    if (pool.is_made) return &pool;
    pool.is_made = 1;
    memset(pool.torsion[0], 0, 32);
    pool.torsion[0][0] = 1;
    memcpy(pool.torsion[1], eighth, 32);
    for (int i = 2; i < 8; i++)
        (void)!crypto_core_ed25519_add(pool.torsion[i], pool.torsion[i - 1], eighth);
    for (int i = 0; i < KEYS; i++) {
        // Scalars at the edges, but for 0, whose points are no keys.
        scalar_at(pool.key[i].scalar, i == 2 || i == 3 ? KEYS + i : i);
        key_make(&pool, &pool.key[i], i < 10 ? 0 : (unsigned)(i - 9));
    }
    for (int i = 0; i < NONCES; i++) {
        scalar_at(pool.nonce[i], i);
        for (unsigned k = 0; k < 8; k++) point_of(&pool, pool.nonce[i], k, pool.r[i][k]);
    }
    return &pool;
}

static uint8_t *tables_of(struct pool *pool, const struct kernels *row) {
    int i = 0;
    while (pool->row[i] && pool->row[i] != row) i++;
    if (pool->row[i]) return pool->table[i];
    pool->row[i] = row;
    pool->table[i] = aligned_alloc(64, (size_t)KEYS * KERNELS_VERIFIER_BYTES);
    const struct kernels_lanes points = {pool->key[0].point, sizeof pool->key[0], NULL};
    const struct kernels_lanes tables = {pool->table[i], KERNELS_VERIFIER_BYTES, NULL};
    const uint64_t all = ((uint64_t)1 << KEYS) - 1;
    if (!pool->table[i] || row->ed25519_table(points, tables, all) != all) abort();
    return pool->table[i];
}

// -- Signatures

// SHA-512(r || key || message) mod l.
static void challenge(uint8_t out[32], const uint8_t r[32], const struct key *key,
                      const uint8_t *message, size_t bytes) {
    uint8_t in[128], hash[64];
    memcpy(in, r, 32);
    memcpy(in + 32, key->point, 32);
    memcpy(in + 64, message, bytes);
    (void)crypto_hash_sha512(hash, in, 64 + bytes);
    crypto_core_ed25519_scalar_reduce(out, hash);
}

// out := r || S for S = nonce + h a. Returns the multiple of the torsion that r has too much: 0 if
// the signature is good.
static unsigned sign_with(uint8_t out[64], const struct key *key, const uint8_t nonce[32],
                          const uint8_t r[32], unsigned torsion, const uint8_t *message,
                          size_t bytes) {
    uint8_t h[32], product[32];
    challenge(h, r, key, message, bytes);
    crypto_core_ed25519_scalar_mul(product, h, key->scalar);
    memcpy(out, r, 32);
    crypto_core_ed25519_scalar_add(out + 32, nonce, product);
    return (torsion + h[0] * key->torsion) % 8;
}

// Signs with the first nonce from `nonce` on that leads to a good signature or, with `is_off`, to
// one that is wrong by a point of small order.
static void sign(uint8_t out[64], const struct pool *pool, const struct key *key, unsigned nonce,
                 int is_off, const uint8_t *message, size_t bytes) {
    for (unsigned i = 0; i < 8 * NONCES; i++) {
        unsigned n = (nonce + i) / 8 % NONCES, torsion = (nonce + i) % 8;
        const uint8_t *r = pool->r[n][torsion];
        unsigned off = sign_with(out, key, pool->nonce[n], r, torsion, message, bytes);
        if ((off != 0) == is_off) return;
    }
}

// An encoding of a point of small order, reduced or not.
static void small_point(uint8_t out[32], const struct pool *pool, uint8_t which) {
    memcpy(out, pool->torsion[which % 8], 32);
    if (which & 8) out[31] ^= 0x80;
    // y = 0 and y = 1 have a second encoding.
    uint8_t rest = out[31] & 0x7f;
    for (int i = 1; i < 31; i++) rest |= out[i];
    if (!(which & 16) || rest != 0) return;
    out[0] = (uint8_t)(0xed + out[0]);
    memset(out + 1, 0xff, 30);
    out[31] |= 0x7f;
}

// S + factor * l modulo 2^256.
static void add_order(uint8_t s[32], unsigned factor) {
    unsigned carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += s[i] + order[i] * factor;
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

// 0, l - 2 ... l + 1, 2^252, 2^253 - 1, all ones.
static void edge(uint8_t s[32], uint8_t which) {
    memset(s, which % 4 == 3 ? 0xff : 0, 32);
    if (which % 4 == 1) memcpy(s, order, 32), s[0] = (uint8_t)(s[0] + which / 4 % 4 - 2);
    if (which % 4 == 2) s[31] = 0x10;
    if (which % 4 == 3 && (which & 4)) s[31] = 0x1f;
}

static void tamper(const uint8_t recipe[64], uint8_t *message, size_t bytes,
                   uint8_t signature[64]) {
    uint8_t bit = (uint8_t)(1 << recipe[4] % 8);
    switch (recipe[2] % 16) {
    case 0:
        signature[recipe[3] % 64] ^= bit;
        break;
    case 1:
        if (bytes > 0) message[recipe[3] % bytes] ^= bit;
        break;
    case 2:
        add_order(signature + 32, 1 + recipe[3] % 14);
        break;
    case 3:
        edge(signature + 32, recipe[3]);
        break;
    case 4:
        signature[63] |= recipe[3];
        break;
    case 5:
        // y from p to p + 18.
        memset(signature, 0xff, 32);
        signature[0] = (uint8_t)(0xed + recipe[3] % 19);
        signature[31] = recipe[4] & 1 ? 0xff : 0x7f;
        break;
    default:
        break;
    }
}

static void craft(const struct pool *pool, const struct key *key, const uint8_t recipe[64],
                  uint8_t *message, size_t bytes, uint8_t signature[64]) {
    static const uint8_t zero[32] = {0};
    uint8_t r[32];
    switch (recipe[1] % 8) {
    case 0:
        sign(signature, pool, key, recipe[5], 1, message, bytes);
        break;
    case 1:
        // All is right but that r has small order, or is not reduced.
        small_point(r, pool, recipe[5]);
        (void)sign_with(signature, key, zero, r, 0, message, bytes);
        break;
    case 2:
        // S leads to a point whose encoding is r but for one bit.
        memcpy(r, pool->r[recipe[5] % NONCES][0], 32);
        r[recipe[7] & 32 ? 31 : recipe[7] % 32] ^=
            (uint8_t)(recipe[7] & 32 ? 0x80 : 1 << recipe[8] % 8);
        (void)sign_with(signature, key, pool->nonce[recipe[5] % NONCES], r, 0, message, bytes);
        break;
    default:
        sign(signature, pool, key, recipe[5], 0, message, bytes);
    }
    tamper(recipe, message, bytes, signature);
}

uint64_t edwards_signatures_verify(const struct kernels *row, struct kernels_lanes message,
                                   size_t bytes, struct kernels_lanes recipe, uint64_t live) {
    struct pool *pool = pool_of_thread();
    uint8_t *tables = tables_of(pool, row);
    uint32_t slot[KERNELS_LANES_MAX] = {0};
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++) {
        if (!(live >> lane & 1)) continue;
        uint8_t copy[64], *signature = at(recipe, lane);
        memcpy(copy, signature, 64);
        int key = copy[0] % KEYS;
        slot[lane] = (uint32_t)(copy[6] < 8 ? copy[6] % KEYS : key);
        craft(pool, &pool->key[key], copy, at(message, lane), bytes, signature);
    }
    const struct kernels_lanes table = {tables, KERNELS_VERIFIER_BYTES, slot};
    return row->ed25519_verify(table, message, bytes, recipe, live);
}

struct edwards_verdict edwards_signatures_table(const struct kernels *row, struct kernels_lanes key,
                                                uint64_t live) {
    const struct pool *pool = pool_of_thread();
    const struct kernels_lanes table = {signatures_room(), KERNELS_VERIFIER_BYTES, NULL};
    struct key made[KERNELS_LANES_MAX] = {0};
    uint8_t signature[2][KERNELS_LANES_MAX][64] = {0};
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++) {
        if (!(live >> lane & 1)) continue;
        uint8_t hash[64];
        memcpy(made[lane].point, at(key, lane), 32);
        (void)crypto_hash_sha512(hash, made[lane].point, 32);
        if (hash[0] % 4 == 0) {
            crypto_core_ed25519_scalar_reduce(made[lane].scalar, hash);
            key_make(pool, &made[lane], hash[1] & 8 ? hash[1] : 0);
        }
        for (int i = 0; i < 2; i++)
            sign(signature[i][lane], pool, &made[lane], hash[2 + i], 0, at(key, lane), 32);
    }
    const struct kernels_lanes points = {made[0].point, sizeof made[0], NULL};
    struct edwards_verdict verdict = {row->ed25519_table(points, table, live), ~(uint64_t)0};
    for (int i = 0; i < 2; i++) {
        const struct kernels_lanes lanes = {signature[i][0], 64, NULL};
        verdict.good &= row->ed25519_verify(table, key, 32, lanes, verdict.made);
    }
    return verdict;
}
