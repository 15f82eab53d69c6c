// Inverses modulo a prime, of numbers in four 64-bit words, little-endian. Constant time.
#pragma once
#include "../common.h"

struct modulus {
    uint64_t word[4];
    uint64_t minus_inverse; // -1 / modulus, modulo 2^64
    int bits;               // the modulus is 2^bits - c, with c below 2^(bits - 8)
};

extern const struct modulus modulus_p25519;          // 2^255 - 19
extern const struct modulus modulus_secp256k1;       // 2^256 - 2^32 - 977
extern const struct modulus modulus_secp256k1_order; // n

// out := 1 / in, below the modulus, and 0 for 0. in is any number below 2^256; out may be in.
void inverse(uint64_t out[4], const uint64_t in[4], const struct modulus *modulus);
