// Limbs of 52 bits at the edges of what the lanes can hold, and a report of a lane that is wrong.
#pragma once
#include "inputs.h"
#include "probe.h"

#define LIMB_ONES (((uint64_t)1 << 52) - 1)

// limb += up, with carries into limb 4 and borrows out of it.
void limbs_shift(uint64_t limb[5], int64_t up);
// A limb: all zeros, all ones, near 2^52, small, or random; with noise above 52 bits or without.
uint64_t limb_noisy(struct inputs *inputs);
// Nothing, or noise above 52 bits, to add to a limb.
uint64_t limb_noise(struct inputs *inputs);
// Up to `most`: 0, most, near either, near the powers of two, or random.
uint64_t limb_below(struct inputs *inputs, uint64_t most);
// Words of a number below 2^256 as limbs.
void limbs_of_words(uint64_t limb[5], const uint64_t word[4]);
// A number of 256 bits in words, random or extreme.
void words_wide(struct inputs *inputs, uint64_t word[4]);

// One lane's operation.
struct finding {
    const char *what;
    uint64_t seed, step;
    int lane;
    const uint64_t *a, *b;            // five limbs each, or NULL
    const uint64_t *found, *expected; // five limbs each
};
// The first finding becomes text.
void finding_report(struct probe_failure *first, const struct finding *finding);
