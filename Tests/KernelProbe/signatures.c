#include "signatures.h"
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 16

static _Thread_local uint8_t *room;

uint8_t *signatures_room(void) {
    if (!room) room = aligned_alloc(64, (size_t)KERNELS_LANES_MAX * KERNELS_SIGNER_BYTES);
    if (!room) abort();
    return room;
}

static secp256k1_context *library(void) {
    static _Thread_local secp256k1_context *context;
    if (!context) context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    return context;
}

static uint8_t *at(struct kernels_lanes lanes, int lane) {
    return lanes.base + lanes.stride * (lanes.slot ? lanes.slot[lane] : (size_t)lane);
}

static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                  0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};

// -- Scalars modulo n, by the library: big-endian, not 0.

static void small(uint8_t out[32], uint8_t value) {
    memset(out, 0, 32);
    out[31] = value;
}

static void multiply(uint8_t a[32], const uint8_t b[32]) {
    (void)secp256k1_ec_seckey_tweak_mul(library(), a, b);
}

// a^(n - 2)
static void invert(uint8_t out[32], const uint8_t a[32]) {
    uint8_t power[32], exponent[32];
    memcpy(exponent, order, 32);
    exponent[31] -= 2;
    small(power, 1);
    for (int bit = 255; bit >= 0; bit--) {
        uint8_t square[32];
        memcpy(square, power, 32);
        multiply(power, square);
        if (exponent[31 - bit / 8] >> bit % 8 & 1) multiply(power, a);
    }
    memcpy(out, power, 32);
}

static int is_high(const uint8_t s[32]) {
    static const uint8_t half[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
                                     0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};
    return memcmp(s, half, 32) > 0;
}

// -- Keys: their tables are made once for each row.

// The last key is one whose scalar nobody knows: that of a signature whose R has an x above n.
#define FAR_KEY (KEYS - 1)

struct keys {
    uint8_t scalar[KEYS][32], point[KEYS][64];
    uint8_t far_hash[32], far_signature[64];
    const struct kernels *row[8];
    uint8_t *table[8];
};

static void point_store(const secp256k1_pubkey *point, uint8_t out[64]) {
    uint8_t bytes[65];
    size_t count = sizeof bytes;
    (void)secp256k1_ec_pubkey_serialize(library(), bytes, &count, point, SECP256K1_EC_UNCOMPRESSED);
    memcpy(out, bytes + 1, 64);
}

static void point_of(const uint8_t scalar[32], uint8_t out[64]) {
    secp256k1_pubkey point;
    if (!secp256k1_ec_pubkey_create(library(), &point, scalar)) abort();
    point_store(&point, out);
}

// The least r for which r + n is the x of a point and r is not, and the key that s and a hash make
// of it.
static void far_key(struct keys *keys) {
    memset(keys->far_hash, 0x3c, 32);
    memset(keys->far_signature, 0, 32);
    memset(keys->far_signature + 32, 0x5a, 32);
    for (uint8_t r = 1; r != 0; r++) {
        secp256k1_ecdsa_recoverable_signature near, far;
        secp256k1_pubkey point;
        keys->far_signature[31] = r;
        if (!secp256k1_ecdsa_recoverable_signature_parse_compact(
                library(), &near, keys->far_signature, 0) ||
            !secp256k1_ecdsa_recoverable_signature_parse_compact(
                library(), &far, keys->far_signature, 2))
            abort();
        if (secp256k1_ecdsa_recover(library(), &point, &near, keys->far_hash)) continue;
        if (!secp256k1_ecdsa_recover(library(), &point, &far, keys->far_hash)) continue;
        point_store(&point, keys->point[FAR_KEY]);
        return;
    }
    abort();
}

// 1, n - 1, 2, n - 2, 1/2, and others.
static struct keys *keys_of_thread(void) {
    static _Thread_local struct keys keys;
    if (keys.scalar[0][31] != 0) return &keys;
    for (int i = 0; i < KEYS; i++) {
        uint8_t *scalar = keys.scalar[i];
        for (int k = 0; k < 32; k++) scalar[k] = (uint8_t)(i * 37 + k * 11 + 5);
        if (i < 2) small(scalar, (uint8_t)(i + 1));
        if (i == 2 || i == 3) {
            memcpy(scalar, keys.scalar[i - 2], 32);
            (void)secp256k1_ec_seckey_negate(library(), scalar);
        }
        if (i == 4) invert(scalar, keys.scalar[1]);
        point_of(scalar, keys.point[i]);
    }
    far_key(&keys);
    return &keys;
}

static uint8_t *tables_of(struct keys *keys, const struct kernels *row) {
    int i = 0;
    while (keys->row[i] && keys->row[i] != row) i++;
    if (keys->row[i]) return keys->table[i];
    keys->row[i] = row;
    keys->table[i] = aligned_alloc(64, (size_t)KEYS * KERNELS_SIGNER_BYTES);
    const struct kernels_lanes points = {keys->point[0], 64, NULL};
    const struct kernels_lanes tables = {keys->table[i], KERNELS_SIGNER_BYTES, NULL};
    const uint64_t all = ((uint64_t)1 << KEYS) - 1;
    if (!keys->table[i] || row->ecdsa_table(points, tables, all) != all) abort();
    return keys->table[i];
}

// -- Signatures

static void sign(const uint8_t key[32], const uint8_t hash[32], uint8_t out[64]) {
    secp256k1_ecdsa_recoverable_signature signature;
    int parity = 0;
    if (!secp256k1_ecdsa_sign_recoverable(library(), &signature, hash, key, NULL, NULL)) abort();
    (void)secp256k1_ecdsa_recoverable_signature_serialize_compact(
        library(), out, &parity, &signature);
    out[32] |= (uint8_t)((parity & 1) << 7);
}

// The hash and the signature of the sum R = u1 G + u2 Q.
static void craft_of(const uint8_t sum[64], const uint8_t u1[32], const uint8_t u2[32],
                     uint8_t hash[32], uint8_t out[64]) {
    uint8_t inverse[32], s[32];
    invert(inverse, u2);
    memcpy(s, sum, 32);
    multiply(s, inverse);
    memcpy(hash, u1, 32);
    if (secp256k1_ec_seckey_verify(library(), u1)) multiply(hash, s);
    uint8_t parity = sum[63] & 1;
    if (is_high(s)) {
        (void)secp256k1_ec_seckey_negate(library(), s);
        parity ^= 1;
    }
    memcpy(out, sum, 32);
    memcpy(out + 32, s, 32);
    out[32] |= (uint8_t)(parity << 7);
}

// The same for a key that is known, u1 possibly 0.
static void craft(const uint8_t key[32], const uint8_t u1[32], const uint8_t u2[32],
                  uint8_t hash[32], uint8_t out[64]) {
    uint8_t sum[32], point[64];
    memcpy(sum, u2, 32);
    multiply(sum, key);
    if (secp256k1_ec_seckey_verify(library(), u1) &&
        !secp256k1_ec_seckey_tweak_add(library(), sum, u1))
        return; // the sum is infinity: no signature
    point_of(sum, point);
    craft_of(point, u1, u2, hash, out);
}

// Scalars that make sums of windows meet: 0, small, a single bit, and their negatives.
static void meeting(uint8_t out[32], const uint8_t from[4]) {
    memset(out, 0, 32);
    if (from[0] % 4 == 0)
        out[31] = from[1] % 20;
    else
        out[from[1] % 32] = (uint8_t)(1 << from[2] % 8);
    if (out[0] == 0xff) out[0] = 1;
    if (from[3] & 1) (void)secp256k1_ec_seckey_negate(library(), out);
}

// An edge of the range of r or s: 0, 1, n - 1, n, n + 1, p - n and so on.
static void edge(uint8_t out[32], uint8_t which) {
    static const uint8_t field_less_order[32] = {0,    0,    0,    0,    0,    0,    0,    0,
                                                 0,    0,    0,    0,    0,    0,    0,    1,
                                                 0x45, 0x51, 0x23, 0x19, 0x50, 0xb7, 0x5f, 0xc4,
                                                 0x40, 0x2d, 0xa1, 0x72, 0x2f, 0xc9, 0xba, 0xee};
    memcpy(out, which % 3 == 0 ? order : field_less_order, 32);
    if (which % 3 == 1) memset(out, which & 8 ? 0xff : 0, 32);
    out[31] = (uint8_t)(out[31] + (which / 16 % 4) - (which % 3 == 1 ? 0 : 2));
}

static void tamper(const uint8_t recipe[64], uint8_t hash[32], uint8_t signature[64]) {
    switch (recipe[2] % 16) {
    case 0:
        signature[recipe[3] % 64] ^= (uint8_t)(1 << recipe[4] % 8);
        break;
    case 1:
        hash[recipe[3] % 32] ^= (uint8_t)(1 << recipe[4] % 8);
        break;
    case 2:
        signature[32] ^= 0x80;
        break;
    case 3:
        edge(signature, recipe[3]);
        break;
    case 4:
        edge(signature + 32, recipe[3]);
        break;
    case 5: {
        // n - s, which is in the upper half: good for a plain verifier.
        uint8_t s[32];
        memcpy(s, signature + 32, 32);
        uint8_t parity = s[0] & 0x80;
        s[0] &= 0x7f;
        if (secp256k1_ec_seckey_negate(library(), s)) memcpy(signature + 32, s, 32);
        if (recipe[3] & 1) signature[32] ^= parity ^ 0x80;
        break;
    }
    default:
        break;
    }
}

uint64_t signatures_verify(const struct kernels *row, struct kernels_lanes hash,
                           struct kernels_lanes recipe, uint64_t live) {
    struct keys *keys = keys_of_thread();
    uint8_t *tables = tables_of(keys, row);
    uint32_t slot[KERNELS_LANES_MAX] = {0};
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++) {
        if (!(live >> lane & 1)) continue;
        uint8_t copy[64], *at_hash = at(hash, lane), *signature = at(recipe, lane);
        memcpy(copy, signature, 64);
        int key = copy[0] % KEYS;
        slot[lane] = (uint32_t)(copy[1] < 8 ? copy[1] % KEYS : key);
        if (key == FAR_KEY) {
            memcpy(at_hash, keys->far_hash, 32);
            memcpy(signature, keys->far_signature, 64);
        } else if (copy[1] % 4 == 3) {
            uint8_t u1[32], u2[32];
            meeting(u1, copy + 8);
            meeting(u2, copy + 12);
            if (secp256k1_ec_seckey_verify(library(), u2))
                craft(keys->scalar[key], u1, u2, at_hash, signature);
        } else {
            sign(keys->scalar[key], at_hash, signature);
        }
        tamper(copy, at_hash, signature);
    }
    const struct kernels_lanes table = {tables, KERNELS_SIGNER_BYTES, slot};
    return row->ecdsa_verify(table, hash, recipe, live);
}

// A signature of the point's unknown key, whose terms are in every window.
static void sign_by_point(const uint8_t point[64], uint8_t hash[32], uint8_t signature[64]) {
    secp256k1_pubkey sum;
    uint8_t bytes[65] = {4}, u1[32], u2[32], out[64];
    memcpy(bytes + 1, point, 64);
    memset(u1, 0x69, 32);
    memset(u2, 0x2d, 32);
    memcpy(u2 + 16, point + 16, 16);
    if (!secp256k1_ec_pubkey_parse(library(), &sum, bytes, sizeof bytes) ||
        !secp256k1_ec_pubkey_tweak_mul(library(), &sum, u2) ||
        !secp256k1_ec_pubkey_tweak_add(library(), &sum, u1))
        abort();
    point_store(&sum, out);
    craft_of(out, u1, u2, hash, signature);
}

uint64_t signatures_table(const struct kernels *row, struct kernels_lanes point, uint64_t live) {
    static _Thread_local uint8_t hash[KERNELS_LANES_MAX][32], signature[KERNELS_LANES_MAX][64];
    const struct kernels_lanes table = {signatures_room(), KERNELS_SIGNER_BYTES, NULL};
    uint64_t made = row->ecdsa_table(point, table, live), verified = 0;
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++)
        if (made >> lane & 1) sign_by_point(at(point, lane), hash[lane], signature[lane]);
    if (made)
        verified = row->ecdsa_verify(table,
                                     (struct kernels_lanes){hash[0], 32, NULL},
                                     (struct kernels_lanes){signature[0], 64, NULL},
                                     made);
    return verified;
}
