// Runs every kernel over intervals, so that no sum can pass 2^64 and no difference fall below zero.
#pragma once
#include <stdint.h>

void kernels_interval_run(void);
// How many kernels kernels_interval_run() runs.
int kernels_interval_count(void);
// Faults of this thread since it last asked, and what the first of them was; NULL if there is none.
uint64_t kernels_interval_faults(const char **first);
