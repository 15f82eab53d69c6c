// BLAKE3 (specification of 2021, section 2).
#pragma once
#include "../common.h"

#define BLAKE3_BLOCK 64
#define BLAKE3_CHUNK 1024

enum {
    BLAKE3_CHUNK_START = 1,
    BLAKE3_CHUNK_END = 2,
    BLAKE3_PARENT = 4,
    BLAKE3_ROOT = 8,
    BLAKE3_KEYED_HASH = 16,
    BLAKE3_DERIVE_KEY_CONTEXT = 32,
    BLAKE3_DERIVE_KEY_MATERIAL = 64,
};

// Key words, mode flags, message, any length of output.
void blake3_hash(const uint32_t key[8], uint32_t mode, const uint8_t *in, size_t bytes,
                 uint8_t *out, size_t out_bytes);
// 32 bytes of BLAKE3 under a 32-byte key.
void blake3_keyed(const uint8_t key[32], const uint8_t *in, size_t bytes, uint8_t out[32]);
// derive_key with a precomputed context key.
void blake3_derive(enum kernels_context context, const uint8_t *material, size_t bytes,
                   uint8_t *out, size_t out_bytes);
