// Mistakes in a field over the portable vocabulary, each one only seen at an edge. Included between
// the field and its trials, which then call these.
#pragma once
#include "words_wrong.h"

// Limb 4 of the first factor counts as if it were below 2^LIMB_TOP.
static struct sum wrong_factor_mul(const struct factor *a, const struct factor *b, int with_bias) {
    struct factor narrow = *a;
    if (is_wrong(PROBE_WRONG_TOP)) narrow.v[4] &= LOW(LIMB_TOP);
    return factor_mul(&narrow, b, with_bias);
}

// A number from the prime to 2^(208 + LIMB_TOP) stays what it is.
static struct sum wrong_reduced(const struct factor *a) {
    struct sum out = reduced(a);
    uint64_t low = out.v[0];
    for (int i = 1; i < 5; i++) low |= out.v[i] << 5;
    if (!is_wrong(PROBE_WRONG_REDUCED) || low >= 16 || a->v[4] < LOW(LIMB_TOP)) return out;
    out.v[0] += LOW(52) + 1 - LIMB_WRAP;
    for (int i = 1; i < 4; i++) out.v[i] = LOW(52);
    out.v[4] = LOW(LIMB_TOP);
    return out;
}

// Limb 0 loses a bit that only a sum at its largest has.
static struct sum wrong_sum_sub(const struct sum *a, const struct sum *b) {
    struct sum out = sum_sub(a, b);
    if (is_wrong(PROBE_WRONG_LIMB) && out.v[0] >> 62) out.v[0] ^= (uint64_t)1 << 62;
    return out;
}

#define factor_mul wrong_factor_mul
#define reduced    wrong_reduced
#define sum_sub    wrong_sum_sub
