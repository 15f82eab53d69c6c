// Checks of the lanes over curve25519's field; whoever includes this defines NAME(x), the row's
// prefix, after a vocabulary.
#include "curve25519_lanes.h"
//
#include "field_trials.h"
#include "lane_checks.h"
#include "torsion_trials.h"

TARGET uint64_t NAME(field_25519)(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    return field_run(seed, cases, first);
}

TARGET uint64_t NAME(group_25519)(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    return torsion_run(seed, cases, first);
}
