#pragma once

#include <stddef.h>
#include <stdint.h>

// What Swift cannot spell of the machine: each function returns >= 0, or -errno.

// Ties the calling thread to one CPU.
int host_pin(int cpu);
// CPUs the process may run on.
int host_cpus(void);
// 1 if the process may run on this CPU.
int host_has_cpu(int cpu);
// Starts a thread; `body` runs on it once with `context`. Its name has at most 15 bytes.
int host_thread(void (*_Nonnull body)(void *_Nullable), void *_Nullable context,
                const char *_Nonnull name);
// Nanoseconds of the monotonic clock.
uint64_t host_nanos(void);
// The CPU's cycle counter.
uint64_t host_ticks(void);
// Keeps the process out of core dumps and debuggers of the same user.
int host_hide(void);

enum host_pages : uint32_t { HOST_PAGES_SMALL = 0, HOST_PAGES_ADVISED = 1, HOST_PAGES_HUGE = 2 };

// Maps zeroed memory: huge pages if there are some, else small ones with the wish for huge ones.
int host_map(size_t bytes, void *_Nullable *_Nonnull out, enum host_pages *_Nonnull pages);
// Gives back what host_map mapped.
void host_unmap(void *_Nonnull base, size_t bytes);
// Maps zeroed memory that outlives the process: `descriptor` stands for it. With `wide` it lies on
// huge pages if there are some or the kernel makes some, and is all taken now.
int host_share(size_t bytes, int wide, int *_Nonnull descriptor, void *_Nullable *_Nonnull out,
               enum host_pages *_Nonnull pages);
// Maps what such a descriptor stands for; -EINVAL if it is of another size. host_unmap gives it
// back.
int host_adopt(int descriptor, size_t bytes, void *_Nullable *_Nonnull out,
               enum host_pages *_Nonnull pages);
// Maps a file of `bytes` bytes, shared, made or grown with zeros if it is shorter; -EFBIG if
// longer. Its blocks are reserved now, so that a full disk shows here and not as a fault later.
int host_map_file(const char *_Nonnull path, size_t bytes, void *_Nullable *_Nonnull out);
// Writes a file mapping to its disk.
int host_sync(void *_Nonnull base, size_t bytes);
void host_unmap_file(void *_Nonnull base, size_t bytes);

// Bytes the calling thread has allocated so far, by jemalloc if it is linked; -1 if nobody counts.
int64_t host_allocated(void);

// Most descriptors in one message.
#define HOST_DESCRIPTORS 64

// Sends a message with descriptors over a connected unix socket; all of it, or -errno.
int host_send_descriptors(int socket, const void *_Nonnull bytes, size_t byte_count,
                          const int *_Nullable descriptors, size_t count);
// Takes a message and its descriptors, closed on exec. Returns its bytes, 0 at the end. A message
// with more than `room` bytes or `*count` descriptors is -EMSGSIZE, and none is left open.
int host_receive_descriptors(int socket, void *_Nonnull bytes, size_t room,
                             int *_Nonnull descriptors, size_t *_Nonnull count);

// Runs a program and takes what it writes, to standard output or error, up to `room` bytes. `words`
// are path and arguments, each with its zero byte, one after the other. Returns its exit code, or
// 128 + signal; -errno if it cannot be run; -ETIMEDOUT, and it is killed, if it takes longer.
int host_ask(char *_Nonnull words, int count, char *_Nonnull answer, size_t room,
             size_t *_Nonnull length, int millis);
// Becomes another program, with the same process id, that inherits the descriptors `kept`. Returns
// only if it cannot: -errno, and they are closed on exec as before.
int host_become(char *_Nonnull words, int count, const int *_Nonnull kept, int kept_count);
