// The live lanes of a batch, LANES at a time. Included after a vocabulary.
//
// Places of a group that no live lane fills read what place 0 reads and write into a dummy.
#pragma once
#include "../common.h"

struct group {
    int lane[LANES];
    int count;
};

// Takes the lowest LANES lanes, or as many as there are, out of a mask that is not empty.
INLINE struct group group_next(uint64_t *live) {
    struct group group = {{0}, 0};
    for (int i = 0; i < LANES; i++) {
        if (*live != 0)
            group.lane[group.count++] = lane_next(live);
        else
            group.lane[i] = group.lane[0];
    }
    return group;
}

INLINE void group_read(const struct group *group, struct kernels_lanes lanes,
                       const uint8_t *at[LANES]) {
    for (int i = 0; i < LANES; i++) at[i] = lane_at(lanes, group->lane[i]);
}

INLINE void group_write(const struct group *group, struct kernels_lanes lanes, uint8_t *dummy,
                        uint8_t *at[LANES]) {
    for (int i = 0; i < LANES; i++)
        at[i] = i < group->count ? lane_at(lanes, group->lane[i]) : dummy;
}

// What is left over after whole groups, if that is fewer than `least` lanes: these are cheaper one
// after the other than as a group. The highest lanes of `live`, so that groups take the others.
INLINE uint64_t group_rest(uint64_t live, int least) {
    int left = __builtin_popcountll(live) % LANES;
    uint64_t rest = 0;
    for (; left < least && left > 0; left--) {
        uint64_t highest = (uint64_t)1 << (63 - __builtin_clzll(live));
        rest |= highest, live ^= highest;
    }
    return rest;
}
