// The scalar field of 2^256 - 2^32 - 977 as the judge of the lanes'.
#pragma once
#include "../../CShims/Kernels/secp256k1/field.h"

typedef struct fp truth;

static inline truth truth_mul(const truth *a, const truth *b) { return fp_mul(a, b); }
static inline truth truth_add(const truth *a, const truth *b) { return fp_add(a, b); }
static inline truth truth_sub(const truth *a, const truth *b) { return fp_sub(a, b); }
static inline truth truth_invert(const truth *a) { return fp_invert(a); }
static inline truth truth_root_power(const truth *a) { return fp_root_power(a); }
static inline truth truth_of_limb(uint64_t limb) { return (truth){{limb, 0, 0, 0}}; }

// The reduced value, little-endian words.
static inline void truth_words(uint64_t word[4], const truth *a) {
    truth reduced = fp_reduce(a);
    memcpy(word, reduced.v, sizeof reduced.v);
}
