// Checks of the lanes over secp256k1's field; whoever includes this defines NAME(x), the row's
// prefix, after a vocabulary.
#include "secp256k1_lanes.h"
//
#include "field_trials.h"
#include "group_trials.h"
#include "lane_checks.h"
#include "order_trials.h"
#include "tree_trials.h"

TARGET uint64_t NAME(field_secp256k1)(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    return field_run(seed, cases, first);
}

TARGET uint64_t NAME(order_secp256k1)(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    return order_run(seed, cases, first);
}

TARGET uint64_t NAME(group_secp256k1)(uint64_t seed, uint64_t cases, struct probe_failure *first) {
    return group_run(seed, cases, first);
}
