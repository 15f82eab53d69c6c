#pragma once
#include "loadio.h"

// ChaCha20-Poly1305 (IETF) with one key.
struct cipher {
    // Opens `bytes` of ciphertext and tag; 1 if the tag matches. `out` may be `in`.
    int (*open)(struct cipher *self, uint8_t *out, const uint8_t *in, size_t bytes,
                const uint8_t *nonce);
    // Seals `bytes` of plaintext; writes 16 bytes more. `out` may be `in`.
    int (*seal)(struct cipher *self, uint8_t *out, const uint8_t *in, size_t bytes,
                const uint8_t *nonce);
    void *context;
    uint8_t key[32];
};

int cipher_make(struct cipher *out, enum bare_cipher kind, const uint8_t *key);
void cipher_free(struct cipher *cipher);
