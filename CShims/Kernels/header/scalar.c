// Header key stream and MAC: libsodium's ChaCha20 and Poly1305, one packet
// after the other.
#include "../common.h"
#include "../rows.h"
#include <sodium.h>

#define NONCE     12
#define MAC_BLOCK 16
#define MAC_MAX   512

void scalar_header_stream(struct kernels_lanes material, struct kernels_lanes in, size_t in_bytes,
                          struct kernels_lanes out, size_t out_bytes, uint64_t live) {
    FOR_LANES(lane, live) {
        const uint8_t *nonce = lane_at(material, lane);
        uint8_t *to = lane_at(out, lane);
        if (in_bytes > 0) memmove(to, lane_at(in, lane), in_bytes);
        memset(to + in_bytes, 0, out_bytes - in_bytes);
        crypto_stream_chacha20_ietf_xor_ic(to, to, out_bytes, nonce, 0, nonce + NONCE);
    }
    wipe_stack();
}

void scalar_header_mac(struct kernels_lanes key, struct kernels_lanes in, size_t bytes,
                       struct kernels_lanes out, uint64_t live) {
    uint8_t padded[MAC_MAX] = {0};
    size_t whole = (bytes + MAC_BLOCK - 1) / MAC_BLOCK * MAC_BLOCK;
    FOR_LANES(lane, live) {
        const uint8_t *text = lane_at(in, lane);
        if (bytes < whole) text = memcpy(padded, text, bytes);
        crypto_onetimeauth_poly1305(lane_at(out, lane), text, whole, lane_at(key, lane));
    }
    wipe_stack();
}

uint64_t scalar_equal(struct kernels_lanes a, struct kernels_lanes b, size_t bytes, uint64_t live) {
    uint64_t same = 0;
    FOR_LANES(lane, live) {
        const uint8_t *left = lane_at(a, lane), *right = lane_at(b, lane);
        uint64_t difference = 0;
        for (size_t i = 0; i < bytes; i++) difference |= left[i] ^ right[i];
        // 1 if difference is 0: only then does the subtraction borrow.
        same |= (barrier(difference) - 1) >> 63 << lane;
    }
    return same;
}
