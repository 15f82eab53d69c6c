#pragma once

#include <liburing.h>

// What liburing 2.3 lacks. A newer one makes lines of this page superfluous.

// A wait may last until a minimum of time has passed, for more than one completion.
#define FEAT_MIN_TIMEOUT (1u << 15)

// io_uring_enable_rings is declared, but not exported.
static inline int uring_enable(struct io_uring *ring) {
    return io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

// Waits for `want` completions; with `batch_micros`, after that time for one. `until` is relative.
static inline int uring_enter_wait(struct io_uring *ring, unsigned want, uint32_t batch_micros,
                                   const struct __kernel_timespec *until) {
    // `pad` is the batch time in later headers.
    struct io_uring_getevents_arg argument = {.ts = (uint64_t)(uintptr_t)until,
                                              .pad = batch_micros};
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    if (ring->enter_ring_fd != ring->ring_fd) flags |= IORING_ENTER_REGISTERED_RING;
    return io_uring_enter2((unsigned)ring->enter_ring_fd,
                           0,
                           want,
                           flags,
                           (sigset_t *)(void *)&argument,
                           sizeof argument);
}

// 1 if the kernel has work that only an enter does.
static inline int uring_has_work(const struct io_uring *ring) {
    return (IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_TASKRUN) != 0;
}
