// Tables and signatures for the kernels that check signatures.
#pragma once
#include "kernels.h"

// Room for a table of every lane; of this thread.
uint8_t *signatures_room(void);

// Makes the tables of 64 B points and verifies a signature by each: the lanes where both succeed.
uint64_t signatures_table(const struct kernels *row, struct kernels_lanes point, uint64_t live);

// Makes of what lies in the lanes, a hash of 32 and a recipe of 64 bytes, a hash and a signature,
// in their place, and verifies them on the row. The same bytes lead to the same. What comes out is
// a good signature, one at the edge of the ranges, one that was tampered with, one whose sum of u1
// G and u2 Q has terms that meet, or one whose R has an x above n.
uint64_t signatures_verify(const struct kernels *row, struct kernels_lanes hash,
                           struct kernels_lanes recipe, uint64_t live);
