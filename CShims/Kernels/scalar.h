// The scalar row: one packet after the other. It is the judge of every other
// row.
#pragma once
#include "kernels.h"

struct kernels_alpha scalar_alpha_step(struct kernels_lanes alpha, const uint8_t *node_scalar,
                                       const uint8_t *node_public, struct kernels_lanes secret,
                                       struct kernels_lanes next, uint64_t live);
uint64_t scalar_edwards_mul(struct kernels_lanes point, struct kernels_lanes scalar,
                            struct kernels_lanes out, uint64_t live);
void scalar_edwards_mul_base(struct kernels_lanes scalar, struct kernels_lanes out, uint64_t live);
void scalar_sc_clamp_reduce(struct kernels_lanes in, struct kernels_lanes out, uint64_t live);
void scalar_sc_mul(struct kernels_lanes a, struct kernels_lanes b, struct kernels_lanes out,
                   uint64_t live);
void scalar_derive(enum kernels_context context, struct kernels_lanes salt, size_t salt_bytes,
                   struct kernels_lanes key, size_t key_bytes, struct kernels_lanes out,
                   size_t out_bytes, uint64_t live);
void scalar_blake3(struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live);
void scalar_blake3_keyed(struct kernels_lanes key, struct kernels_lanes in, size_t bytes,
                         struct kernels_lanes out, uint64_t live);
void scalar_header_stream(struct kernels_lanes material, struct kernels_lanes in, size_t in_bytes,
                          struct kernels_lanes out, size_t out_bytes, uint64_t live);
void scalar_header_mac(struct kernels_lanes key, struct kernels_lanes in, size_t bytes,
                       struct kernels_lanes out, uint64_t live);
uint64_t scalar_equal(struct kernels_lanes a, struct kernels_lanes b, size_t bytes, uint64_t live);
void scalar_lioness_forward(struct kernels_lanes material, struct kernels_lanes block, size_t bytes,
                            uint64_t live);
void scalar_lioness_inverse(struct kernels_lanes material, struct kernels_lanes block, size_t bytes,
                            uint64_t live);
void scalar_keccak256(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                      uint64_t live);
void scalar_keccak_iterate(struct kernels_lanes value, size_t count, uint64_t live);
void scalar_half_keys(struct kernels_lanes secret, struct kernels_lanes own,
                      struct kernels_lanes ack, uint64_t live);
void scalar_hash_to_curve(struct kernels_lanes msg, size_t msg_bytes, const uint8_t *dst,
                          size_t dst_bytes, struct kernels_lanes out, uint64_t live);
