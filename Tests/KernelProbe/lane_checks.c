#include "lane_checks.h"
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    lane_check *portable, *avx512;
} checks[] = {
#if defined(__x86_64__)
#define CHECK(name)                                                                                \
    { #name, portable_##name, avx512_##name }
#else
#define CHECK(name)                                                                                \
    { #name, portable_##name, NULL }
#endif
    CHECK(field_25519),
    CHECK(field_secp256k1),
    CHECK(order_secp256k1),
    CHECK(group_25519),
    CHECK(group_secp256k1),
};

#define CHECKS ((int)(sizeof checks / sizeof checks[0]))

const char *probe_lanes(int index) { return index < CHECKS ? checks[index].name : NULL; }

uint64_t probe_lanes_check(const char *row, const char *name, uint64_t seed, uint64_t cases,
                           struct probe_failure *first) {
    lane_check *check = NULL;
    for (int i = 0; i < CHECKS; i++) {
        if (strcmp(checks[i].name, name) != 0) continue;
        if (strcmp(row, "portable") == 0) check = checks[i].portable;
        if (strcmp(row, "avx512") == 0 && probe_runs(row)) check = checks[i].avx512;
    }
    return check ? check(seed, cases, first) : UINT64_MAX;
}

_Thread_local enum probe_wrong_lanes wrong_lanes;

uint64_t probe_lanes_wrong(enum probe_wrong_lanes how, const char *name, uint64_t seed,
                           uint64_t cases, struct probe_failure *first) {
    static const struct {
        const char *name;
        lane_check *check;
    } wrong[] = {
        {"field_25519", wrong_field_25519},
        {"field_secp256k1", wrong_field_secp256k1},
        {"order_secp256k1", wrong_order_secp256k1},
        {"group_25519", wrong_group_25519},
        {"group_secp256k1", wrong_group_secp256k1},
    };
    wrong_lanes = how;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (strcmp(wrong[i].name, name) == 0) return wrong[i].check(seed, cases, first);
    return UINT64_MAX;
}
