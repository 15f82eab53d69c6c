// Batches of points, packed into vectors: what kernels over lane_point.h share.
#pragma once
#include "../lanes/packing.h"
#include "lane_point.h"

// Points of all vectors, decoded; bit i of the result is entry i.
TARGET static uint64_t points_decode(struct doubler *out, const struct packing *packing,
                                     struct kernels_lanes points) {
    uint64_t valid = 0;
    for (int j = 0; j < packing->vectors; j += GROUPS_MAX) {
        int groups = packing->vectors - j < GROUPS_MAX ? packing->vectors - j : GROUPS_MAX;
        struct decoding decoding[GROUPS_MAX];
        struct factor power[GROUPS_MAX];
        for (int g = 0; g < groups; g++) {
            vec word[4];
            words_load(word, packing, points, j + g);
            decoding_begin(&decoding[g], word);
            power[g] = decoding[g].uv7;
        }
        root_power(power, power, groups);
        for (int g = 0; g < groups; g++) {
            mask decodes = decoding_finish(&out[j + g], &decoding[g], &power[g]);
            valid |= mask_lanes(decodes) << LANES * (j + g);
        }
    }
    return valid & entries_all(packing);
}

// What is called here has frames of up to 30 kB together, the encoding's inversion being deepest.
static __attribute__((noinline)) void wipe_stack_deep(void) {
    uint8_t dead[32768];
    wipe(dead, sizeof dead);
}
