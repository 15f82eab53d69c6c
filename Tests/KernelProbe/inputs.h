// Inputs for the kernels from a seed: random ones, and those at the edges of what a kernel can get.
#pragma once
#include <stddef.h>
#include <stdint.h>

// SplitMix64 (Steele, Lea, Flood, 2014).
struct inputs {
    uint64_t state;
    uint8_t point[64][32]; // of prime order
    uint8_t mixed[64][32]; // with a component of small order
    uint8_t secp[64][64];  // x || y of secp256k1
};

void inputs_init(struct inputs *inputs, uint64_t seed);
// Puts a fresh point into the pools.
void inputs_turn(struct inputs *inputs);

uint64_t inputs_next(struct inputs *inputs);
// Below `bound`, which is small against 2^64.
uint64_t inputs_below(struct inputs *inputs, uint64_t bound);
void inputs_random(struct inputs *inputs, uint8_t *out, size_t bytes);

// Random, or all zeros or ones, a single bit, or blocks of 16 at a limb's extremes.
void inputs_bytes(struct inputs *inputs, uint8_t *out, size_t bytes);
// A number of 256 bits: random, of low or high weight, or near 2^k or a multiple of l.
void inputs_wide(struct inputs *inputs, uint8_t out[32]);
// The same below l.
void inputs_reduced(struct inputs *inputs, uint8_t out[32]);
// A point of prime, small or mixed order; an encoding that is not reduced; a string of bytes.
void inputs_point(struct inputs *inputs, uint8_t out[32]);
// x || y of a point of secp256k1, or almost.
void inputs_secp_point(struct inputs *inputs, uint8_t out[64]);
// 33 bytes of one, or almost.
void inputs_secp_short(struct inputs *inputs, uint8_t out[33]);
// 32 bytes big-endian: random, of low or high weight, near 0, n or 2^256.
void inputs_secp_scalar(struct inputs *inputs, uint8_t out[32]);
// A length: near a block's end, short, or anywhere.
size_t inputs_length(struct inputs *inputs, size_t least, size_t most);
