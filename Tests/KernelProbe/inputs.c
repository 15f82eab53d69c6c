#include "inputs.h"
#include <secp256k1.h>
#include <sodium.h>
#include <string.h>

uint64_t inputs_next(struct inputs *inputs) {
    uint64_t z = inputs->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t inputs_below(struct inputs *inputs, uint64_t bound) {
    return (uint64_t)((unsigned __int128)inputs_next(inputs) * bound >> 64);
}

void inputs_random(struct inputs *inputs, uint8_t *out, size_t bytes) {
    for (; bytes > 0;) {
        uint64_t word = inputs_next(inputs);
        size_t part = bytes < 8 ? bytes : 8;
        memcpy(out, &word, part);
        out += part, bytes -= part;
    }
}

static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

// y of the points of order 1, 2, 4 and 8; each is a point with either sign bit.
static const uint8_t small_order[5][32] = {
    {1},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

// a := a + b modulo 2^256, b with its sign.
static void shift_by(uint8_t a[32], int b) {
    int carry = b;
    for (int i = 0; i < 32; i++) {
        carry += a[i];
        a[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void point_of_small_order(struct inputs *inputs, uint8_t out[32]) {
    memcpy(out, small_order[inputs_below(inputs, 5)], 32);
    out[31] |= (uint8_t)(inputs_next(inputs) & 0x80);
}

// x || y of scalar * G; 0 for a scalar that is none.
static int secp_multiple(const uint8_t scalar[32], uint8_t out[64]) {
    static _Thread_local secp256k1_context *context;
    secp256k1_pubkey point;
    uint8_t bytes[65];
    size_t count = sizeof bytes;
    if (!context) context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (!secp256k1_ec_pubkey_create(context, &point, scalar)) return 0;
    (void)secp256k1_ec_pubkey_serialize(context, bytes, &count, &point, SECP256K1_EC_UNCOMPRESSED);
    memcpy(out, bytes + 1, 64);
    return 1;
}

// The first points are those of scalars at the edges: G, -G, 2 G and their like.
static void turn_secp(struct inputs *inputs, int i) {
    uint8_t scalar[32];
    do {
        if (i < 16)
            inputs_secp_scalar(inputs, scalar);
        else
            inputs_random(inputs, scalar, 32);
    } while (!secp_multiple(scalar, inputs->secp[i]));
}

static void turn(struct inputs *inputs, int i) {
    uint8_t scalar[32], torsion[32];
    inputs_random(inputs, scalar, 32);
    scalar[31] &= 0x0f;
    (void)!crypto_scalarmult_ed25519_base_noclamp(inputs->point[i], scalar);
    point_of_small_order(inputs, torsion);
    // libsodium does not take -0 for 0.
    if (torsion[0] == 1 || torsion[0] == 0xec) torsion[31] &= 0x7f;
    if (crypto_core_ed25519_add(inputs->mixed[i], inputs->point[i], torsion) != 0)
        memcpy(inputs->mixed[i], inputs->point[i], 32);
    turn_secp(inputs, i);
}

void inputs_init(struct inputs *inputs, uint64_t seed) {
    (void)sodium_init();
    inputs->state = seed;
    for (int i = 0; i < 64; i++) turn(inputs, i);
}

void inputs_turn(struct inputs *inputs) { turn(inputs, (int)inputs_below(inputs, 64)); }

void inputs_bytes(struct inputs *inputs, uint8_t *out, size_t bytes) {
    // Limbs of Poly1305 and their neighbours: 0, 1, 2^128 - 1, 2^128 - 5.
    static const uint8_t low[4] = {0, 1, 0xff, 0xfb}, rest[4] = {0, 0, 0xff, 0xff};
    uint64_t style = inputs_below(inputs, 16);
    size_t bit = bytes > 0 ? inputs_below(inputs, 8 * bytes) : 0;
    switch (style) {
    case 0:
    case 1:
        memset(out, style == 0 ? 0 : 0xff, bytes);
        break;
    case 2:
    case 3:
        memset(out, style == 2 ? 0 : 0xff, bytes);
        if (bytes > 0) out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        break;
    case 4:
        for (size_t i = 0, extreme = 0; i < bytes; i++) {
            if (i % 16 == 0) extreme = inputs_below(inputs, 4);
            out[i] = i % 16 == 0 ? low[extreme] : rest[extreme];
        }
        break;
    default:
        inputs_random(inputs, out, bytes);
    }
}

// factor * l, factor <= 15.
static void multiple_of_order(uint8_t out[32], unsigned factor) {
    unsigned carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += order[i] * factor;
        out[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

void inputs_wide(struct inputs *inputs, uint8_t out[32]) {
    static const uint8_t digits[8] = {0x00, 0xff, 0x88, 0x77, 0x80, 0x08, 0x7f, 0xf7};
    uint64_t style = inputs_below(inputs, 12);
    int near = (int)inputs_below(inputs, 41) - 20;
    memset(out, 0, 32);
    if (style < 2) {
        // 2^bit + near, also below 0, which is near 2^256.
        uint64_t bit = inputs_below(inputs, 260);
        if (bit < 256) out[bit / 8] = (uint8_t)(1 << bit % 8);
        if (style == 0) near = (int)inputs_below(inputs, 3) - 1;
        shift_by(out, near);
    } else if (style == 2) {
        multiple_of_order(out, (unsigned)inputs_below(inputs, 16));
        shift_by(out, near % 3);
    } else if (style == 3) {
        // Few ones, or few zeros.
        for (uint64_t count = 1 + inputs_below(inputs, 4); count > 0; count--) {
            uint64_t bit = inputs_below(inputs, 256);
            out[bit / 8] |= (uint8_t)(1 << bit % 8);
        }
        uint8_t flip = (uint8_t)(0 - (inputs_next(inputs) & 1));
        for (int i = 0; i < 32; i++) out[i] ^= flip;
    } else if (style == 4) {
        memset(out, digits[inputs_below(inputs, 8)], 32);
    } else {
        inputs_random(inputs, out, 32);
    }
}

void inputs_reduced(struct inputs *inputs, uint8_t out[32]) {
    uint8_t wide[64] = {0};
    inputs_wide(inputs, wide);
    crypto_core_ed25519_scalar_reduce(out, wide);
}

void inputs_point(struct inputs *inputs, uint8_t out[32]) {
    uint64_t style = inputs_below(inputs, 10);
    if (style == 0) {
        point_of_small_order(inputs, out);
    } else if (style == 1) {
        // y from p - 1 to p + 18, and the small numbers that it stands for.
        memset(out, inputs_next(inputs) & 1 ? 0xff : 0, 32);
        out[31] &= 0x7f;
        uint8_t up = (uint8_t)inputs_below(inputs, 20);
        out[0] = out[1] == 0 ? up : (uint8_t)(0xec + up);
        out[31] |= (uint8_t)(inputs_next(inputs) & 0x80);
    } else if (style < 4) {
        inputs_random(inputs, out, 32);
    } else if (style < 6) {
        memcpy(out, inputs->mixed[inputs_below(inputs, 64)], 32);
    } else {
        memcpy(out, inputs->point[inputs_below(inputs, 64)], 32);
    }
}

void inputs_secp_scalar(struct inputs *inputs, uint8_t out[32]) {
    // n, big-endian.
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                      0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
                                      0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    uint8_t little[32];
    uint64_t style = inputs_below(inputs, 8);
    inputs_wide(inputs, little);
    if (style == 0) memset(little, 0, 32);
    if (style == 1)
        for (int i = 0; i < 32; i++) little[i] = order[31 - i];
    if (style < 2) shift_by(little, (int)inputs_below(inputs, 41) - 20);
    for (int i = 0; i < 32; i++) out[i] = little[31 - i];
}

void inputs_secp_point(struct inputs *inputs, uint8_t out[64]) {
    uint64_t style = inputs_below(inputs, 12);
    memcpy(out, inputs->secp[inputs_below(inputs, 64)], 64);
    // Off the curve, of its negative sometimes; x or y at p or above it.
    if (style == 0) out[inputs_below(inputs, 64)] ^= (uint8_t)(1 << inputs_below(inputs, 8));
    if (style == 1) inputs_bytes(inputs, out, 64);
    if (style == 2) memset(out + 32 * inputs_below(inputs, 2), 0xff, 30);
}

void inputs_secp_short(struct inputs *inputs, uint8_t out[33]) {
    uint8_t point[64];
    uint64_t style = inputs_below(inputs, 12);
    inputs_secp_point(inputs, point);
    out[0] = (uint8_t)(2 + (point[63] & 1));
    memcpy(out + 1, point, 32);
    if (style == 0) out[0] = (uint8_t)inputs_below(inputs, 8);
    if (style == 1) inputs_secp_scalar(inputs, out + 1);
    if (style == 2) out[0] ^= 1;
}

size_t inputs_length(struct inputs *inputs, size_t least, size_t most) {
    static const uint16_t block[] = {16, 64, 64, 136, 256, 1024};
    if (least == most) return least;
    size_t span = most - least + 1, length;
    switch (inputs_below(inputs, 8)) {
    case 0:
    case 1:
    case 2: {
        size_t unit = block[inputs_below(inputs, sizeof block / sizeof block[0])];
        size_t many = 1 + inputs_below(inputs, unit < 256 ? 4 : 3);
        length = unit * many + inputs_below(inputs, 3) - 1;
        break;
    }
    case 3:
        length = least + inputs_below(inputs, span);
        break;
    default:
        length = least + inputs_below(inputs, span < 160 ? span : 160);
    }
    return length < least || length > most ? least + length % span : length;
}
