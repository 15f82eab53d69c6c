#pragma once

#include <stdint.h>

// For tests: linked into a program, this counts what its threads allocate. Under sanitizers, which
// bring their own allocator, nothing is counted.

// 1 if allocations are counted.
int allocations_counted(void);
// Allocations of the calling thread so far.
uint64_t allocations_of_thread(void);
