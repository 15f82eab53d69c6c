// BLAKE3's compression function over lanes. Include after a lane vocabulary.
#pragma once
#include "tables.h"

#define LANES_QUARTER(a, b, c, d, x, y)                                                            \
    do {                                                                                           \
        v[a] = vec32_add(v[a], vec32_add(v[b], x));                                                \
        v[d] = vec32_rol(vec32_xor(v[d], v[a]), 16);                                               \
        v[c] = vec32_add(v[c], v[d]);                                                              \
        v[b] = vec32_rol(vec32_xor(v[b], v[c]), 20);                                               \
        v[a] = vec32_add(v[a], vec32_add(v[b], y));                                                \
        v[d] = vec32_rol(vec32_xor(v[d], v[a]), 24);                                               \
        v[c] = vec32_add(v[c], v[d]);                                                              \
        v[b] = vec32_rol(vec32_xor(v[b], v[c]), 25);                                               \
    } while (0)

INLINE void lanes_round(vec32 v[16], const vec32 m[16], const uint8_t s[16]) {
    LANES_QUARTER(0, 4, 8, 12, m[s[0]], m[s[1]]);
    LANES_QUARTER(1, 5, 9, 13, m[s[2]], m[s[3]]);
    LANES_QUARTER(2, 6, 10, 14, m[s[4]], m[s[5]]);
    LANES_QUARTER(3, 7, 11, 15, m[s[6]], m[s[7]]);
    LANES_QUARTER(0, 5, 10, 15, m[s[8]], m[s[9]]);
    LANES_QUARTER(1, 6, 11, 12, m[s[10]], m[s[11]]);
    LANES_QUARTER(2, 7, 8, 13, m[s[12]], m[s[13]]);
    LANES_QUARTER(3, 4, 9, 14, m[s[14]], m[s[15]]);
}

// Lengths, counters and flags are the same in all lanes. Word i of the new chaining value is
// v[i] ^ v[8 + i]; the upper half of a root block is v[8 + i] ^ cv[i].
INLINE void lanes_compress(const vec32 cv[8], const vec32 m[16], uint32_t counter, size_t bytes,
                           uint32_t flags, vec32 v[16]) {
    for (int i = 0; i < 8; i++) v[i] = cv[i];
    for (int i = 0; i < 4; i++) v[8 + i] = vec32_set(iv[i]);
    v[12] = vec32_set(counter), v[13] = vec32_set(0);
    v[14] = vec32_set((uint32_t)bytes), v[15] = vec32_set(flags);
    lanes_round(v, m, schedule[0]);
    lanes_round(v, m, schedule[1]);
    lanes_round(v, m, schedule[2]);
    lanes_round(v, m, schedule[3]);
    lanes_round(v, m, schedule[4]);
    lanes_round(v, m, schedule[5]);
    lanes_round(v, m, schedule[6]);
}

INLINE void lanes_chain(vec32 cv[8], const vec32 m[16], uint32_t counter, size_t bytes,
                        uint32_t flags) {
    vec32 v[16];
    lanes_compress(cv, m, counter, bytes, flags, v);
    for (int i = 0; i < 8; i++) cv[i] = vec32_xor(v[i], v[8 + i]);
}
