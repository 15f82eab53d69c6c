// The live lanes of a batch as vectors side by side. Included after a vocabulary.
#pragma once
#include "../common.h"

#define VECTORS_MAX (KERNELS_LANES_MAX / LANES)

// Live lanes, packed: entry i is lane i % LANES of vector i / LANES. What is left of the last
// vector repeats the first lane and is thrown away.
struct packing {
    int count, vectors;
    uint8_t lane[KERNELS_LANES_MAX + LANES];
};

// live is not 0.
static void packing_make(struct packing *packing, uint64_t live) {
    packing->count = 0;
    FOR_LANES(lane, live) packing->lane[packing->count++] = (uint8_t)lane;
    packing->vectors = (packing->count + LANES - 1) / LANES;
    for (int i = packing->count; i < packing->vectors * LANES; i++)
        packing->lane[i] = packing->lane[0];
}

// Every entry, as a mask over entries.
static inline uint64_t entries_all(const struct packing *packing) {
    return ~(uint64_t)0 >> (64 - packing->count);
}

// Four words of vector j: word i of a lane lies at 8 i.
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

// Lanes of a mask over entries.
static uint64_t lanes_of(const struct packing *packing, uint64_t entries) {
    uint64_t lanes = 0;
    for (int i = 0; i < packing->count; i++) lanes |= (entries >> i & 1) << packing->lane[i];
    return lanes;
}
