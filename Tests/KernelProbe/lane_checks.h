// What a row has of checks of its arithmetic, by the names that probe_lanes() gives.
#pragma once
#include "probe.h"

typedef uint64_t lane_check(uint64_t seed, uint64_t cases, struct probe_failure *first);

#define LANE_CHECKS(row)                                                                           \
    lane_check row##_field_25519, row##_field_secp256k1, row##_order_secp256k1, row##_group_25519, \
        row##_group_secp256k1;

LANE_CHECKS(portable)
LANE_CHECKS(avx512)
// Over a vocabulary's portable form with mistakes in it.
LANE_CHECKS(wrong)

// Which mistake this thread's wrong checks make.
extern _Thread_local enum probe_wrong_lanes wrong_lanes;
