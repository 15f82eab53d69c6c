// The scalar row of SHA-2 is libsodium, one lane after the other.
#include "../common.h"
#include "../rows.h"
#include <sodium.h>

void scalar_sha256(struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live) {
    FOR_LANES(lane, live)
    (void)crypto_hash_sha256(lane_at(out, lane), lane_at(in, lane), bytes);
    wipe_stack();
}

void scalar_sha512(struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live) {
    FOR_LANES(lane, live)
    (void)crypto_hash_sha512(lane_at(out, lane), lane_at(in, lane), bytes);
    wipe_stack();
}
