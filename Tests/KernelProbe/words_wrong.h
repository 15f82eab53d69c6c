// The portable vocabulary with a mistake.
#pragma once
#include "../../CShims/Kernels/lanes/portable.h"
#include "lane_checks.h"

static int is_wrong(enum probe_wrong_lanes how) { return wrong_lanes == how; }

// What stands above 52 bits is multiplied too.
INLINE vec wrong_vec_factor(vec a) { return is_wrong(PROBE_WRONG_NOISE) ? a : vec_factor(a); }
#define vec_factor wrong_vec_factor
