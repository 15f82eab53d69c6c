// BLAKE3's compression function over lanes. Include after a lane vocabulary.
#pragma once
#include "../lanes/square.h"
#include "tables.h"

#define EACH(statement)                                                                            \
    for (int i = 0; i < 4; i++) statement
#define BLAKE3_STEP(p, q, r, n)                                                                    \
    do {                                                                                           \
        EACH(v[p(i)] = vec32_add(v[p(i)], v[q(i)]));                                               \
        EACH(v[r(i)] = vec32_xor(v[r(i)], v[p(i)]));                                               \
        EACH(v[r(i)] = vec32_rol(v[r(i)], n));                                                     \
    } while (0)
#define BLAKE3_QUARTERS(a, b, c, d, s)                                                             \
    do {                                                                                           \
        EACH(v[a(i)] = vec32_add(v[a(i)], m[(s)[2 * i]]));                                         \
        BLAKE3_STEP(a, b, d, 16);                                                                  \
        BLAKE3_STEP(c, d, b, 20);                                                                  \
        EACH(v[a(i)] = vec32_add(v[a(i)], m[(s)[2 * i + 1]]));                                     \
        BLAKE3_STEP(a, b, d, 24);                                                                  \
        BLAKE3_STEP(c, d, b, 25);                                                                  \
    } while (0)

INLINE void lanes_round(vec32 v[16], const vec32 m[16], const uint8_t s[16]) {
    BLAKE3_QUARTERS(ROW_A, ROW_B, ROW_C, ROW_D, s);
    BLAKE3_QUARTERS(ROW_A, ROW_B1, ROW_C2, ROW_D3, s + 8);
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
