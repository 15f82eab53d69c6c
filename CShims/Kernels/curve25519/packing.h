// Batches of points and scalars, packed into vectors of LANES: what kernels over lane_point.h
// share.
#pragma once
#include "lane_point.h"

#define VECTORS_MAX (KERNELS_LANES_MAX / LANES)

// Live lanes, packed: entry i is lane i % LANES of vector i / LANES. What is left of the last
// vector repeats the first lane and is thrown away.
struct packing {
    int count, vectors;
    uint8_t lane[KERNELS_LANES_MAX + LANES];
};

static void packing_make(struct packing *packing, uint64_t live) {
    packing->count = 0;
    FOR_LANES(lane, live) packing->lane[packing->count++] = (uint8_t)lane;
    packing->vectors = (packing->count + LANES - 1) / LANES;
    for (int i = packing->count; i < packing->vectors * LANES; i++)
        packing->lane[i] = packing->lane[0];
}

// Four words of vector j.
INLINE void words_load(vec word[4], const struct packing *packing, struct kernels_lanes from,
                       int j) {
    const uint8_t *at[LANES];
    for (int i = 0; i < LANES; i++) at[i] = lane_at(from, packing->lane[LANES * j + i]);
    for (int i = 0; i < 4; i++) word[i] = vec_load(at, 8 * (size_t)i);
}

// Words of vector j to a plain array, 32 bytes an entry.
INLINE void words_store(uint8_t (*out)[32], const vec word[4], int j) {
    uint8_t *at[LANES];
    for (int i = 0; i < LANES; i++) at[i] = out[LANES * j + i];
    for (int i = 0; i < 4; i++) vec_store(at, 8 * (size_t)i, word[i]);
}

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
    return packing->count == 64 ? valid : valid & (((uint64_t)1 << packing->count) - 1);
}

// Lanes of a mask over entries.
static uint64_t lanes_of(const struct packing *packing, uint64_t entries) {
    uint64_t lanes = 0;
    for (int i = 0; i < packing->count; i++) lanes |= (entries >> i & 1) << packing->lane[i];
    return lanes;
}

// What is called here has frames of up to 30 kB together, the encoding's inversion being deepest.
static __attribute__((noinline)) void wipe_stack_deep(void) {
    uint8_t dead[32768];
    wipe(dead, sizeof dead);
}
