// The rows of kernels: every one has the same names behind its own prefix.
//
//   scalar    one packet after the other, written for the reader; the judge of the others
//   portable  the kernels over the lane vocabulary, one lane
//   avx512    the same, eight and sixteen lanes
//
// Where a row has nothing better it borrows another row's pointer, in dispatch.c.
#pragma once
#include "kernels.h"

#define KERNELS_ROW(row)                                                                           \
    struct kernels_alpha row##_alpha_step(struct kernels_lanes alpha,                              \
                                          const uint8_t *node_scalar,                              \
                                          const uint8_t *node_public,                              \
                                          struct kernels_lanes secret,                             \
                                          struct kernels_lanes next,                               \
                                          uint64_t live);                                          \
    uint64_t row##_edwards_mul(struct kernels_lanes point,                                         \
                               struct kernels_lanes scalar,                                        \
                               struct kernels_lanes out,                                           \
                               uint64_t live);                                                     \
    uint64_t row##_edwards_table(                                                                  \
        struct kernels_lanes point, struct kernels_lanes table, uint64_t live);                    \
    void row##_edwards_mul_table(struct kernels_lanes table,                                       \
                                 struct kernels_lanes scalar,                                      \
                                 struct kernels_lanes out,                                         \
                                 uint64_t live);                                                   \
    void row##_edwards_mul_base(                                                                   \
        struct kernels_lanes scalar, struct kernels_lanes out, uint64_t live);                     \
    void row##_scalar_clamp_reduce(                                                                \
        struct kernels_lanes in, struct kernels_lanes out, uint64_t live);                         \
    void row##_scalar_mul(                                                                         \
        struct kernels_lanes a, struct kernels_lanes b, struct kernels_lanes out, uint64_t live);  \
    void row##_derive(enum kernels_context context,                                                \
                      struct kernels_lanes salt,                                                   \
                      size_t salt_bytes,                                                           \
                      struct kernels_lanes key,                                                    \
                      size_t key_bytes,                                                            \
                      struct kernels_lanes out,                                                    \
                      size_t out_bytes,                                                            \
                      uint64_t live);                                                              \
    void row##_blake3(                                                                             \
        struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live);           \
    void row##_blake3_keyed(struct kernels_lanes key,                                              \
                            struct kernels_lanes in,                                               \
                            size_t bytes,                                                          \
                            struct kernels_lanes out,                                              \
                            uint64_t live);                                                        \
    void row##_header_stream(struct kernels_lanes material,                                        \
                             struct kernels_lanes in,                                              \
                             size_t in_bytes,                                                      \
                             struct kernels_lanes out,                                             \
                             size_t out_bytes,                                                     \
                             uint64_t live);                                                       \
    void row##_header_mac(struct kernels_lanes key,                                                \
                          struct kernels_lanes in,                                                 \
                          size_t bytes,                                                            \
                          struct kernels_lanes out,                                                \
                          uint64_t live);                                                          \
    uint64_t row##_equal(                                                                          \
        struct kernels_lanes a, struct kernels_lanes b, size_t bytes, uint64_t live);              \
    void row##_lioness_forward(                                                                    \
        struct kernels_lanes material, struct kernels_lanes block, size_t bytes, uint64_t live);   \
    void row##_lioness_inverse(                                                                    \
        struct kernels_lanes material, struct kernels_lanes block, size_t bytes, uint64_t live);   \
    void row##_keccak256(                                                                          \
        struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live);           \
    void row##_keccak_iterate(struct kernels_lanes value, size_t count, uint64_t live);            \
    void row##_half_keys(struct kernels_lanes secret,                                              \
                         struct kernels_lanes own,                                                 \
                         struct kernels_lanes ack,                                                 \
                         uint64_t live);                                                           \
    void row##_hash_to_curve(struct kernels_lanes msg,                                             \
                             size_t msg_bytes,                                                     \
                             const uint8_t *dst,                                                   \
                             size_t dst_bytes,                                                     \
                             struct kernels_lanes out,                                             \
                             uint64_t live);                                                       \
    uint64_t row##_secp_mul_base(                                                                  \
        struct kernels_lanes scalar, struct kernels_lanes out, uint64_t live);                     \
    struct kernels_sum row##_secp_mul_base_add(struct kernels_lanes scalar,                        \
                                               struct kernels_lanes point,                         \
                                               struct kernels_lanes out,                           \
                                               uint64_t live);                                     \
    uint64_t row##_secp_mul(struct kernels_lanes point,                                            \
                            struct kernels_lanes scalar,                                           \
                            struct kernels_lanes out,                                              \
                            uint64_t live);                                                        \
    uint64_t row##_secp_add_scalars(                                                               \
        struct kernels_lanes a, struct kernels_lanes b, struct kernels_lanes out, uint64_t live);  \
    void row##_ecdsa_nonce(                                                                        \
        const uint8_t *key, struct kernels_lanes hash, struct kernels_lanes out, uint64_t live);   \
    uint64_t row##_ecdsa_sign(const uint8_t *key,                                                  \
                              struct kernels_lanes hash,                                           \
                              struct kernels_lanes seed,                                           \
                              struct kernels_lanes signature,                                      \
                              uint64_t live);                                                      \
    uint64_t row##_ecdsa_table(                                                                    \
        struct kernels_lanes point, struct kernels_lanes table, uint64_t live);                    \
    uint64_t row##_ecdsa_verify(struct kernels_lanes table,                                        \
                                struct kernels_lanes hash,                                         \
                                struct kernels_lanes signature,                                    \
                                uint64_t live);                                                    \
    void row##_ed25519_sign(const uint8_t *key,                                                    \
                            struct kernels_lanes message,                                          \
                            size_t bytes,                                                          \
                            struct kernels_lanes signature,                                        \
                            uint64_t live);                                                        \
    uint64_t row##_ed25519_table(                                                                  \
        struct kernels_lanes key, struct kernels_lanes table, uint64_t live);                      \
    uint64_t row##_ed25519_verify(struct kernels_lanes table,                                      \
                                  struct kernels_lanes message,                                    \
                                  size_t bytes,                                                    \
                                  struct kernels_lanes signature,                                  \
                                  uint64_t live);                                                  \
    void row##_sha256(                                                                             \
        struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live);           \
    void row##_sha512(                                                                             \
        struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live);

KERNELS_ROW(scalar)
KERNELS_ROW(portable)
KERNELS_ROW(avx512)

// Make the base point's tables, one as good as the other.
void portable_secp_prepare(void);
void avx512_secp_prepare(void);
