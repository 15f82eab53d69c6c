// The kernels that were compiled over intervals, and what they did wrong.
#include "interval.h"
#include "proof.h"

// One line for each; a kernel joins by a line here. Each visits every operation of its kernel once.
#define INTERVAL_KERNELS(X)                                                                        \
    X(interval_curve25519)                                                                         \
    X(interval_curve25519_words)                                                                   \
    X(interval_secp256k1)                                                                          \
    X(interval_header_mac)                                                                         \
    X(interval_half_keys)                                                                          \
    X(interval_ed25519)                                                                            \
    X(interval_ed25519_words)

#define DECLARE(kernel) void kernel(void);
#define ENTER(kernel)   kernel,
INTERVAL_KERNELS(DECLARE)
static void (*const kernels[])(void) = {INTERVAL_KERNELS(ENTER)};
#define KERNEL_COUNT (sizeof kernels / sizeof kernels[0])

static _Thread_local uint64_t fault_count;
static _Thread_local const char *first_fault;

void interval_fault(const char *what) {
    if (fault_count++ == 0) first_fault = what;
}

uint64_t kernels_interval_faults(const char **first) {
    uint64_t count = fault_count;
    *first = first_fault;
    fault_count = 0;
    first_fault = NULL;
    return count;
}

int kernels_interval_count(void) { return (int)KERNEL_COUNT; }

void kernels_interval_run(void) {
    for (size_t i = 0; i < KERNEL_COUNT; i++) kernels[i]();
}
