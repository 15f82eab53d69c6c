// ChaCha20 over lanes (RFC 8439, 2.3). Include after a lane vocabulary.
#pragma once
#include "../lanes/square.h"

#define CHACHA_BLOCK 64

struct chacha {
    vec32 key[8], nonce[3];
};

// Blocks that go in step: one alone has too few operations that do not wait for each other, and two
// fill the registers of a machine with wide lanes.
#define CHACHA_TOGETHER (LANES32 > 1 ? 2 : 1)

#define CHACHA_EACH(statement)                                                                     \
    for (int b = 0; b < blocks; b++)                                                               \
        for (int i = 0; i < 4; i++) statement
// For words p, q, r of the four quarter rounds: p += q, r = (r ^ p) <<< n.
#define CHACHA_STEP(p, q, r, n)                                                                    \
    do {                                                                                           \
        CHACHA_EACH(x[b][p(i)] = vec32_add(x[b][p(i)], x[b][q(i)]));                               \
        CHACHA_EACH(x[b][r(i)] = vec32_xor(x[b][r(i)], x[b][p(i)]));                               \
        CHACHA_EACH(x[b][r(i)] = vec32_rol(x[b][r(i)], n));                                        \
    } while (0)
#define CHACHA_QUARTERS(a, b, c, d)                                                                \
    do {                                                                                           \
        CHACHA_STEP(a, b, d, 16);                                                                  \
        CHACHA_STEP(c, d, b, 12);                                                                  \
        CHACHA_STEP(a, b, d, 8);                                                                   \
        CHACHA_STEP(c, d, b, 7);                                                                   \
    } while (0)

INLINE void chacha_begin(const struct chacha *chacha, uint32_t counter, vec32 x[16]) {
    static const uint32_t sigma[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (int i = 0; i < 4; i++) x[i] = vec32_set(sigma[i]);
    for (int i = 0; i < 8; i++) x[4 + i] = chacha->key[i];
    x[12] = vec32_set(counter);
    for (int i = 0; i < 3; i++) x[13 + i] = chacha->nonce[i];
}

// Key stream blocks counter, counter + 1, .., of a number known to the compiler.
INLINE void chacha_blocks(const struct chacha *chacha, uint32_t counter, int blocks,
                          vec32 out[][16]) {
    vec32 x[CHACHA_TOGETHER][16], first[16];
    for (int b = 0; b < blocks; b++) chacha_begin(chacha, counter + (uint32_t)b, x[b]);
    for (int round = 0; round < 20; round += 2) {
        CHACHA_QUARTERS(ROW_A, ROW_B, ROW_C, ROW_D);
        CHACHA_QUARTERS(ROW_A, ROW_B1, ROW_C2, ROW_D3);
    }
    for (int b = 0; b < blocks; b++) {
        chacha_begin(chacha, counter + (uint32_t)b, first);
        for (int i = 0; i < 16; i++) out[b][i] = vec32_add(x[b][i], first[i]);
    }
}
