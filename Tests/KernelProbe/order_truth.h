// Numbers modulo n, the order of secp256k1, in the plainest way: the judge of the lanes'.
#pragma once
#include <stdint.h>

// Below n, words little-endian.
struct number {
    uint64_t v[4];
};

// Any number of up to 512 bits.
struct number number_of(const uint64_t word[8]);
// Limbs of 52 bits, of any size.
struct number number_of_limbs(const uint64_t limb[5]);
struct number number_mul(const struct number *a, const struct number *b);
struct number number_add(const struct number *a, const struct number *b);
struct number number_negative(const struct number *a);
// a^(n - 2)
struct number number_invert(const struct number *a);
int number_is_zero(const struct number *a);
// 2 a > n
int number_is_high(const struct number *a);
// Whether libsecp256k1 has the same product and sum; for numbers that are not 0.
int number_agrees(const struct number *a, const struct number *b);
