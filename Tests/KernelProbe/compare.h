// probe_differential() with any table for a row.
#pragma once
#include "kernels.h"
#include "probe.h"

uint64_t probe_compare(const struct kernels *row, const char *kernel, uint64_t seed, uint64_t cases,
                       struct probe_failure *first);
