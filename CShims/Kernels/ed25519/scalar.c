// The scalar row of Ed25519 signatures is libsodium, one lane after the other.
#include "../common.h"
#include "../rows.h"
#include <sodium.h>

void scalar_ed25519_sign(const uint8_t *key, struct kernels_lanes message, size_t bytes,
                         struct kernels_lanes signature, uint64_t live) {
    FOR_LANES(lane, live) {
        (void)crypto_sign_ed25519_detached(
            lane_at(signature, lane), NULL, lane_at(message, lane), bytes, key);
    }
    wipe_stack();
}

// y is below p = 2^255 - 19.
static int is_reduced(const uint8_t key[32]) {
    uint8_t rest = (key[31] & 0x7f) ^ 0x7f;
    for (int i = 1; i < 31; i++) rest |= key[i] ^ 0xff;
    return rest != 0 || key[0] < 0xed;
}

// What libsodium asks of a key before it verifies. crypto_core_ed25519_add() takes points of the
// curve, reduced or not.
static int is_key(const uint8_t key[32]) {
    uint8_t sum[32], rest = 0;
    if (!is_reduced(key) || crypto_core_ed25519_add(sum, key, key) != 0) return 0;
    // Of small order exactly if eight times the point is the neutral element.
    for (int i = 0; i < 2; i++)
        if (crypto_core_ed25519_add(sum, sum, sum) != 0) return 0;
    for (int i = 0; i < 32; i++) rest |= sum[i] ^ (i == 0);
    return rest != 0;
}

// This row's table is the key.
uint64_t scalar_ed25519_table(struct kernels_lanes key, struct kernels_lanes table, uint64_t live) {
    uint64_t made = 0;
    FOR_LANES(lane, live) {
        if (!is_key(lane_at(key, lane))) continue;
        memcpy(lane_at(table, lane), lane_at(key, lane), 32);
        made |= (uint64_t)1 << lane;
    }
    return made;
}

uint64_t scalar_ed25519_verify(struct kernels_lanes table, struct kernels_lanes message,
                               size_t bytes, struct kernels_lanes signature, uint64_t live) {
    uint64_t good = 0;
    FOR_LANES(lane, live) {
        int failed = crypto_sign_ed25519_verify_detached(
            lane_at(signature, lane), lane_at(message, lane), bytes, lane_at(table, lane));
        good |= (uint64_t)(failed == 0) << lane;
    }
    return good;
}
