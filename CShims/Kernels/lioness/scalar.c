// LIONESS (Anderson and Biham, 1996) with ChaCha20 as stream cipher and keyed
// BLAKE3 as hash.
#include "../blake3/blake3.h"
#include "../common.h"
#include "../rows.h"
#include <sodium.h>

#define LEFT 32 // bytes of the left part; the right part is the rest

// Material: iv1 12 || iv2 12 || k1 32 || k2 32 || k3 32 || k4 32.
#define IV1(material) ((material))
#define IV2(material) ((material) + 12)
#define K1(material)  ((material) + 24)
#define K2(material)  ((material) + 56)
#define K3(material)  ((material) + 88)
#define K4(material)  ((material) + 120)

// right ^= ChaCha20(left ^ key, nonce)
static void stream(uint8_t *block, size_t bytes, const uint8_t *key, const uint8_t *nonce) {
    uint8_t mixed[LEFT], *right = block + LEFT;
    for (int i = 0; i < LEFT; i++) mixed[i] = block[i] ^ key[i];
    crypto_stream_chacha20_ietf_xor_ic(right, right, bytes - LEFT, nonce, 0, mixed);
    wipe(mixed, sizeof mixed);
}

// left ^= BLAKE3(right) under key
static void hash(uint8_t *block, size_t bytes, const uint8_t *key) {
    uint8_t digest[LEFT];
    blake3_keyed(key, block + LEFT, bytes - LEFT, digest);
    for (int i = 0; i < LEFT; i++) block[i] ^= digest[i];
    wipe(digest, sizeof digest);
}

void scalar_lioness_forward(struct kernels_lanes material, struct kernels_lanes block, size_t bytes,
                            uint64_t live) {
    FOR_LANES(lane, live) {
        const uint8_t *m = lane_at(material, lane);
        uint8_t *b = lane_at(block, lane);
        stream(b, bytes, K1(m), IV1(m));
        hash(b, bytes, K2(m));
        stream(b, bytes, K3(m), IV2(m));
        hash(b, bytes, K4(m));
    }
    wipe_stack();
}

void scalar_lioness_inverse(struct kernels_lanes material, struct kernels_lanes block, size_t bytes,
                            uint64_t live) {
    FOR_LANES(lane, live) {
        const uint8_t *m = lane_at(material, lane);
        uint8_t *b = lane_at(block, lane);
        hash(b, bytes, K4(m));
        stream(b, bytes, K3(m), IV2(m));
        hash(b, bytes, K2(m));
        stream(b, bytes, K1(m), IV1(m));
    }
    wipe_stack();
}
