// Keys and signatures for the kernels that check Ed25519 signatures.
#pragma once
#include "kernels.h"

struct edwards_verdict {
    uint64_t made, good;
};

// Makes tables of the lanes' 32 bytes or, in lanes that these bytes choose, of a key whose scalar
// is known; there two signatures must be good by the table.
struct edwards_verdict edwards_signatures_table(const struct kernels *row, struct kernels_lanes key,
                                                uint64_t live);

// Makes of what lies in the lanes, a message and a recipe of 64 bytes, a message and a signature,
// in their place, and verifies them on the row by keys of a pool. The same bytes lead to the same.
// What comes out is a good signature, one that only a cofactored verifier takes, one whose R has
// small order or is not reduced, one whose S is out of range, one that was tampered with, or one of
// another key.
uint64_t edwards_signatures_verify(const struct kernels *row, struct kernels_lanes message,
                                   size_t bytes, struct kernels_lanes recipe, uint64_t live);
