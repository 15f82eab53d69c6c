// A batch in passes of LANES32 packets. Include after a lane vocabulary.
#pragma once
#include "../common.h"

// A pass keeps its scratch in a frame of its own, which wipe_stack() overwrites afterwards.
#define PASS static __attribute__((noinline)) TARGET

struct pass {
    int count;         // lanes in use; they are the first ones
    int lane[LANES32]; // which lanes of the batch; the idle ones repeat the first
};

// Takes the lowest lanes out of a mask that is not empty.
INLINE struct pass pass_take(uint64_t *live) {
    struct pass pass;
    pass.count = 0;
    while (*live != 0 && pass.count < LANES32) pass.lane[pass.count++] = lane_next(live);
    for (int i = pass.count; i < LANES32; i++) pass.lane[i] = pass.lane[0];
    return pass;
}

INLINE void pass_at(const struct pass *pass, struct kernels_lanes lanes, uint8_t *at[LANES32]) {
    for (int i = 0; i < LANES32; i++) at[i] = lane_at(lanes, pass->lane[i]);
}

// Whether so few lanes are left that the scalar row is faster.
INLINE int pass_few(uint64_t live, int few) { return __builtin_popcountll(live) <= few; }
