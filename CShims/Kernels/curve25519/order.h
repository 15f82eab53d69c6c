// Scalars modulo l = 2^252 + 27742317777372353535851937790883648493, the order
// of the base point. Four limbs of 64 bits, little-endian. Constant time.
#pragma once
#include "../common.h"

struct scalar {
    uint64_t v[4];
};

struct scalar scalar_load(const uint8_t in[32]);
void scalar_store(uint8_t out[32], const struct scalar *a);
// a mod l, for any a.
struct scalar scalar_reduce(const struct scalar *a);
// a * b mod l, for any a and b.
struct scalar scalar_product(const struct scalar *a, const struct scalar *b);
// The scalar that 32 bytes stand for: clamped as in X25519, then reduced.
struct scalar scalar_clamped(const uint8_t in[32]);
// a + b mod l, for a and b below l.
struct scalar scalar_sum(const struct scalar *a, const struct scalar *b);

// A number that many of 64 bytes are multiplied by: itself times 2^256 and 2^512 mod l.
struct scalar_multiplier {
    struct scalar low, high;
};

// For any a.
struct scalar_multiplier scalar_multiplier(const struct scalar *a);
// The multiplier that is 1.
extern const struct scalar_multiplier scalar_one;
// in * a mod l.
struct scalar scalar_product_wide(const uint8_t in[64], const struct scalar_multiplier *a);
