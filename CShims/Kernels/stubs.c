#include "common.h"
#include "scalar.h"
#include <stdlib.h>
#pragma GCC diagnostic ignored "-Wunused-parameter"
struct kernels_alpha scalar_alpha_step(struct kernels_lanes alpha, const uint8_t *node_scalar,
                                       const uint8_t *node_public, struct kernels_lanes secret,
                                       struct kernels_lanes next, uint64_t live) { abort(); }
uint64_t scalar_edwards_mul(struct kernels_lanes point, struct kernels_lanes scalar,
                            struct kernels_lanes out, uint64_t live) { abort(); }
void scalar_edwards_mul_base(struct kernels_lanes scalar, struct kernels_lanes out, uint64_t live) { abort(); }
void scalar_sc_clamp_reduce(struct kernels_lanes in, struct kernels_lanes out, uint64_t live) { abort(); }
void scalar_sc_mul(struct kernels_lanes a, struct kernels_lanes b, struct kernels_lanes out,
                   uint64_t live) { abort(); }
void scalar_derive(enum kernels_context context, struct kernels_lanes salt, size_t salt_bytes,
                   struct kernels_lanes key, size_t key_bytes, struct kernels_lanes out,
                   size_t out_bytes, uint64_t live) { abort(); }
void scalar_blake3(struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live) { abort(); }
void scalar_blake3_keyed(struct kernels_lanes key, struct kernels_lanes in, size_t bytes,
                         struct kernels_lanes out, uint64_t live) { abort(); }
void scalar_header_stream(struct kernels_lanes material, struct kernels_lanes in, size_t in_bytes,
                          struct kernels_lanes out, size_t out_bytes, uint64_t live) { abort(); }
void scalar_header_mac(struct kernels_lanes key, struct kernels_lanes in, size_t bytes,
                       struct kernels_lanes out, uint64_t live) { abort(); }
uint64_t scalar_equal(struct kernels_lanes a, struct kernels_lanes b, size_t bytes, uint64_t live) { abort(); }
void scalar_lioness_forward(struct kernels_lanes material, struct kernels_lanes block, size_t bytes,
                            uint64_t live) { abort(); }
void scalar_lioness_inverse(struct kernels_lanes material, struct kernels_lanes block, size_t bytes,
                            uint64_t live) { abort(); }
void scalar_keccak256(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                      uint64_t live) { abort(); }
void scalar_keccak_iterate(struct kernels_lanes value, size_t count, uint64_t live) { abort(); }
void scalar_half_keys(struct kernels_lanes secret, struct kernels_lanes own,
                      struct kernels_lanes ack, uint64_t live) { abort(); }
void scalar_hash_to_curve(struct kernels_lanes msg, size_t msg_bytes, const uint8_t *dst,
                          size_t dst_bytes, struct kernels_lanes out, uint64_t live) { abort(); }
void kernels_blake3(const uint8_t *in, size_t bytes, uint8_t *out,
                    size_t out_bytes) { abort(); }
void kernels_blake3_keyed(const uint8_t *key, const uint8_t *in,
                          size_t bytes, uint8_t *out, size_t out_bytes) { abort(); }
void kernels_blake3_derive(const uint8_t *context, size_t context_bytes,
                           const uint8_t *in, size_t bytes,
                           uint8_t *out, size_t out_bytes) { abort(); }
void kernels_keccak256(const uint8_t *in, size_t bytes,
                       uint8_t *out) { abort(); }
void kernels_sha3_256(const uint8_t *in, size_t bytes,
                      uint8_t *out) { abort(); }
void kernels_expand_keccak256(const uint8_t *msg, size_t msg_bytes,
                              const uint8_t *dst, size_t dst_bytes,
                              uint8_t *out, size_t out_bytes) { abort(); }
void kernels_expand_sha3_256(const uint8_t *msg, size_t msg_bytes,
                             const uint8_t *dst, size_t dst_bytes,
                             uint8_t *out, size_t out_bytes) { abort(); }
void kernels_secp256k1_reduce48(const uint8_t *in, uint8_t *out) { abort(); }
