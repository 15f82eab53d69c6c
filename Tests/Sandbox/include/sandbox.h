#pragma once

#include <stdint.h>

// What tests do to the thread they run on, and to no other. Each function returns >= 0, or -errno.

// Moves the calling thread into a fresh network namespace; returns a descriptor that keeps it.
int sandbox_network(void);
// Moves the calling thread into the namespace of a descriptor.
int sandbox_enter(int network);
void sandbox_close(int descriptor);
// Sets whether a device computes checksums of what it sends.
int sandbox_set_checksums(const char *_Nonnull device, int on);
// Runs a program in the calling thread's namespace and waits for it; arguments are split at
// spaces. Returns its exit status.
int sandbox_command(const char *_Nonnull line);
// From now on the calling thread's io_uring_setup fails with `number`.
int sandbox_forbid_ring(int number);
// The calling thread has this user's rights and no capability any more.
int sandbox_become(uint32_t user);
// Interrupts the calling thread's system calls every `micros` until sandbox_stop_ticks.
int sandbox_start_ticks(uint32_t micros);
void sandbox_stop_ticks(void);
// Limits the memory that the process may lock; returns what it was before, in KiB.
int64_t sandbox_limit_locked(int64_t kibibytes);
