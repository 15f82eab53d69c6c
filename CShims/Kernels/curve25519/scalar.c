// The Sphinx group step, one packet after the other but for the inversions of
// the encodings.
#include "../blake3/blake3.h"
#include "../rows.h"
#include "edwards.h"
#include <sodium.h>

// Packets that share an inversion. More would save little and cost stack: a
// table is 1,280 B.
#define GROUP 16

struct group {
    int count;
    int lane[GROUP];
    struct table table[GROUP];
    struct point point[GROUP];
    uint8_t encoded[GROUP][32];
};

// Takes up to GROUP lanes out of `lanes` and makes tables of those whose point
// decodes.
static uint64_t group_fill(struct group *group, struct kernels_lanes points, uint64_t *lanes) {
    uint64_t valid = 0;
    group->count = 0;
    while (*lanes != 0 && group->count < GROUP) {
        int lane = lane_next(lanes);
        struct point point;
        if (!point_load(&point, lane_at(points, lane))) continue;
        table_fill(&group->table[group->count], &point);
        group->lane[group->count++] = lane;
        valid |= (uint64_t)1 << lane;
    }
    return valid;
}

// secret := KDF(node's key || shared point); b := scalar of KDF(alpha || shared
// point)
static void derive_both(const uint8_t *node_public, const uint8_t *alpha, const uint8_t *shared,
                        uint8_t *secret, struct scalar *b) {
    uint8_t material[64], blinding[32];
    memcpy(material, node_public, 32);
    memcpy(material + 32, shared, 32);
    blake3_derive(KERNELS_SPHINX_SECRET, material, 64, secret, 32);
    memcpy(material, alpha, 32);
    blake3_derive(KERNELS_SPHINX_BLINDING, material, 64, blinding, 32);
    *b = scalar_clamped(blinding);
    wipe(material, sizeof material);
    wipe(blinding, sizeof blinding);
}

// Variable time: the next alpha travels in the clear.
static uint64_t is_neutral(const uint8_t encoded[32]) {
    uint8_t rest = encoded[0] ^ 1;
    for (int i = 1; i < 32; i++) rest |= encoded[i];
    return rest == 0;
}

struct kernels_alpha scalar_alpha_step(struct kernels_lanes alpha, const uint8_t *node_scalar,
                                       const uint8_t *node_public, struct kernels_lanes secret,
                                       struct kernels_lanes next, uint64_t live) {
    struct kernels_alpha outcome = {0, 0};
    struct scalar k = scalar_load(node_scalar), b;
    struct group group;
    while (live != 0) {
        outcome.valid |= group_fill(&group, alpha, &live);

        for (int i = 0; i < group.count; i++) table_multiply(&group.point[i], &group.table[i], &k);
        points_store(group.encoded, group.point, group.count);

        for (int i = 0; i < group.count; i++) {
            int lane = group.lane[i];
            derive_both(
                node_public, lane_at(alpha, lane), group.encoded[i], lane_at(secret, lane), &b);
            table_multiply(&group.point[i], &group.table[i], &b);
        }
        points_store(group.encoded, group.point, group.count);

        for (int i = 0; i < group.count; i++) {
            int lane = group.lane[i];
            memcpy(lane_at(next, lane), group.encoded[i], 32);
            outcome.neutral |= is_neutral(group.encoded[i]) << lane;
        }
    }
    wipe(&k, sizeof k);
    wipe(&b, sizeof b);
    wipe(&group, sizeof group);
    wipe_stack();
    return outcome;
}

uint64_t scalar_edwards_mul(struct kernels_lanes point, struct kernels_lanes scalar,
                            struct kernels_lanes out, uint64_t live) {
    uint64_t valid = 0;
    struct group group;
    while (live != 0) {
        valid |= group_fill(&group, point, &live);
        for (int i = 0; i < group.count; i++) {
            struct scalar k = scalar_load(lane_at(scalar, group.lane[i]));
            table_multiply(&group.point[i], &group.table[i], &k);
            wipe(&k, sizeof k);
        }
        points_store(group.encoded, group.point, group.count);
        for (int i = 0; i < group.count; i++)
            memcpy(lane_at(out, group.lane[i]), group.encoded[i], 32);
    }
    wipe(&group, sizeof group);
    wipe_stack();
    return valid;
}

// The table is the point itself.
uint64_t scalar_edwards_table(struct kernels_lanes point, struct kernels_lanes table,
                              uint64_t live) {
    uint64_t valid = 0;
    struct point decoded;
    FOR_LANES(lane, live) {
        if (!point_load(&decoded, lane_at(point, lane))) continue;
        memset(lane_at(table, lane), 0, KERNELS_TABLE_BYTES);
        memcpy(lane_at(table, lane), lane_at(point, lane), 32);
        valid |= (uint64_t)1 << lane;
    }
    return valid;
}

void scalar_edwards_mul_table(struct kernels_lanes table, struct kernels_lanes scalar,
                              struct kernels_lanes out, uint64_t live) {
    (void)scalar_edwards_mul(table, scalar, out, live);
}

// libsodium's, constant time. Its return value says "scalar or result is
// neutral": no news here.
void scalar_edwards_mul_base(struct kernels_lanes scalar, struct kernels_lanes out, uint64_t live) {
    FOR_LANES(lane, live) {
        uint8_t product[32];
        (void)!crypto_scalarmult_ed25519_base_noclamp(product, lane_at(scalar, lane));
        memcpy(lane_at(out, lane), product, 32);
        wipe(product, sizeof product);
    }
    wipe_stack();
}
