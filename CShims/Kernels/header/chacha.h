// ChaCha20 over lanes (RFC 8439, 2.3). Include after a lane vocabulary.
#pragma once

#define CHACHA_BLOCK 64

struct chacha {
    vec32 key[8], nonce[3];
};

#define CHACHA_QUARTER(a, b, c, d)                                                                 \
    do {                                                                                           \
        x[a] = vec32_add(x[a], x[b]), x[d] = vec32_rol(vec32_xor(x[d], x[a]), 16);                 \
        x[c] = vec32_add(x[c], x[d]), x[b] = vec32_rol(vec32_xor(x[b], x[c]), 12);                 \
        x[a] = vec32_add(x[a], x[b]), x[d] = vec32_rol(vec32_xor(x[d], x[a]), 8);                  \
        x[c] = vec32_add(x[c], x[d]), x[b] = vec32_rol(vec32_xor(x[b], x[c]), 7);                  \
    } while (0)

// x := key stream block `counter`.
INLINE void chacha_block(const struct chacha *chacha, uint32_t counter, vec32 x[16]) {
    static const uint32_t sigma[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (int i = 0; i < 4; i++) x[i] = vec32_set(sigma[i]);
    for (int i = 0; i < 8; i++) x[4 + i] = chacha->key[i];
    x[12] = vec32_set(counter);
    for (int i = 0; i < 3; i++) x[13 + i] = chacha->nonce[i];
    for (int i = 0; i < 10; i++) {
        CHACHA_QUARTER(0, 4, 8, 12);
        CHACHA_QUARTER(1, 5, 9, 13);
        CHACHA_QUARTER(2, 6, 10, 14);
        CHACHA_QUARTER(3, 7, 11, 15);
        CHACHA_QUARTER(0, 5, 10, 15);
        CHACHA_QUARTER(1, 6, 11, 12);
        CHACHA_QUARTER(2, 7, 8, 13);
        CHACHA_QUARTER(3, 4, 9, 14);
    }
    for (int i = 0; i < 4; i++) x[i] = vec32_add(x[i], vec32_set(sigma[i]));
    for (int i = 0; i < 8; i++) x[4 + i] = vec32_add(x[4 + i], chacha->key[i]);
    x[12] = vec32_add(x[12], vec32_set(counter));
    for (int i = 0; i < 3; i++) x[13 + i] = vec32_add(x[13 + i], chacha->nonce[i]);
}
