#include "common.h"
#include "scalar.h"
#include <stdlib.h>
#pragma GCC diagnostic ignored "-Wunused-parameter"
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
