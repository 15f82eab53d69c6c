#include "common.h"
#include "scalar.h"
#include <stdlib.h>
#pragma GCC diagnostic ignored "-Wunused-parameter"
struct kernels_alpha
scalar_alpha_step(struct kernels_lanes alpha, const uint8_t *node_scalar,
                  const uint8_t *node_public, struct kernels_lanes secret,
                  struct kernels_lanes next, uint64_t live) {
  abort();
}
uint64_t scalar_edwards_mul(struct kernels_lanes point,
                            struct kernels_lanes scalar,
                            struct kernels_lanes out, uint64_t live) {
  abort();
}
void scalar_edwards_mul_base(struct kernels_lanes scalar,
                             struct kernels_lanes out, uint64_t live) {
  abort();
}
void scalar_sc_clamp_reduce(struct kernels_lanes in, struct kernels_lanes out,
                            uint64_t live) {
  abort();
}
void scalar_sc_mul(struct kernels_lanes a, struct kernels_lanes b,
                   struct kernels_lanes out, uint64_t live) {
  abort();
}
void scalar_half_keys(struct kernels_lanes secret, struct kernels_lanes own,
                      struct kernels_lanes ack, uint64_t live) {
  abort();
}
void scalar_hash_to_curve(struct kernels_lanes msg, size_t msg_bytes,
                          const uint8_t *dst, size_t dst_bytes,
                          struct kernels_lanes out, uint64_t live) {
  abort();
}
void kernels_secp256k1_reduce48(const uint8_t *in, uint8_t *out) { abort(); }
