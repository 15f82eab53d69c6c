// The scalar field of 2^255 - 19 as the judge of the lanes'.
#pragma once
#include "../../CShims/Kernels/curve25519/field.h"

typedef struct fe truth;

static inline truth truth_mul(const truth *a, const truth *b) { return fe_mul(a, b); }

// By one, so that it is tight again.
static inline truth truth_tight(const truth *a) {
    const truth one = fe_small(1);
    return fe_mul(a, &one);
}

static inline truth truth_add(const truth *a, const truth *b) {
    truth sum = fe_add(a, b);
    return truth_tight(&sum);
}

static inline truth truth_sub(const truth *a, const truth *b) {
    truth difference = fe_sub(a, b);
    return truth_tight(&difference);
}

static inline truth truth_invert(const truth *a) { return fe_invert(a); }
static inline truth truth_root_power(const truth *a) { return fe_root_power(a); }

static inline truth truth_of_limb(uint64_t limb) {
    truth out = {{limb & FE_MASK, limb >> 51, 0, 0, 0}};
    return out;
}

// The reduced value, little-endian words.
static inline void truth_words(uint64_t word[4], const truth *a) {
    uint8_t bytes[32];
    fe_store(bytes, a);
    for (int i = 0; i < 4; i++) word[i] = load64(bytes + 8 * i);
}
