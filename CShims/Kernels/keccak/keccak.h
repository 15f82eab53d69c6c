// Keccak[1088, 512] (FIPS 202, and its submission's padding as Ethereum uses
// it).
#pragma once
#include "../common.h"

#define KECCAK_RATE 136

// First byte of the padding: the only difference between the two hashes.
enum keccak_padding { KECCAK_ETHEREUM = 0x01, KECCAK_SHA3 = 0x06 };

struct sponge {
    uint64_t state[25];
    size_t filled; // bytes absorbed since the last permutation, < KECCAK_RATE
};

void keccak_permute(uint64_t state[25]);

void sponge_init(struct sponge *sponge);
// The state after one block of zero bytes.
void sponge_init_zero_block(struct sponge *sponge);
void sponge_absorb(struct sponge *sponge, const uint8_t *in, size_t bytes);
// Pads and writes 32 bytes; the sponge is spent.
void sponge_finish(struct sponge *sponge, enum keccak_padding padding, uint8_t out[32]);

// expand_message_xmd, RFC 9380 5.3.1; out_bytes <= 8160, dst_bytes <= 255.
void keccak_expand(enum keccak_padding padding, const uint8_t *msg, size_t msg_bytes,
                   const uint8_t *dst, size_t dst_bytes, uint8_t *out, size_t out_bytes);
