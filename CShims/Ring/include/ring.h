#pragma once

#include <stddef.h>
#include <stdint.h>

#include "socket.h"

// One io_uring that carries datagrams: a multishot receive into a buffer ring made of the caller's
// slots, and sends from slots. Every function returns >= 0, or -errno. All but ring_open, ring_wake
// and ring_close belong to the thread that called ring_start.

struct ring;

// Bytes before a datagram in its slot: the kernel's header, the sender's address, control data.
#define RING_HEAD_BYTES 128

struct ring_config {
    void *_Nonnull slab;   // slots, 64-byte aligned
    uint64_t stride;       // bytes from slot to slot
    uint32_t slots;        // at most 65536: a slot number is a buffer id
    uint32_t buffer_bytes; // of a slot that the kernel may fill, RING_HEAD_BYTES included
    uint32_t buffers;      // most slots with the kernel at once, power of two <= 32768
    uint32_t sends;        // most sends between two ring_submit, power of two
};

struct ring_datagram {
    uint32_t slot;       // belongs to the caller from now on
    uint32_t byte_count; // as sent, even if the slot was too short for it
    uint32_t truncated;  // 1 if the slot was too short
    struct datagram_address source;
};

struct ring_stats {
    uint64_t enters;         // system calls
    uint64_t dry;            // receives that ended because no buffer was left
    uint64_t armed;          // receives armed
    uint64_t receive_errors; // receives that ended for another reason
    uint64_t send_errors;    // datagrams the kernel did not take
    uint64_t wakes;          // wake-ups by ring_wake
};

// Sets up a ring, not yet running. -EPERM and -ENOSYS: not permitted here, or too old a kernel.
int ring_open(const struct ring_config *_Nonnull config, struct ring *_Nullable *_Nonnull out);
// Ends all requests and frees the ring.
void ring_close(struct ring *_Nonnull ring);
// Makes the calling thread the ring's owner and receives from a socket.
int ring_start(struct ring *_Nonnull ring, int socket);
// Ends a wait from any thread.
void ring_wake(struct ring *_Nonnull ring);

// Hands slots to the kernel; returns how many it took: never more than `buffers` at once.
uint32_t ring_offer(struct ring *_Nonnull ring, const uint32_t *_Nonnull slots, uint32_t count);
// Slots with the kernel.
uint32_t ring_offered(const struct ring *_Nonnull ring);
// Waits until `want` completions are there, or `timeout_nanos` passed. With `batch_nanos` it
// returns after that time with at least one. Arms the receive if it ended and a quarter of the
// buffers is back.
int ring_wait(struct ring *_Nonnull ring, uint32_t want, uint64_t batch_nanos,
              uint64_t timeout_nanos);
// Takes up to `max` datagrams that have come.
uint32_t ring_take(struct ring *_Nonnull ring, struct ring_datagram *_Nonnull out, uint32_t max);
// Queues a datagram: `byte_count` bytes from `offset` of a slot. -EBUSY if `sends` are queued.
int ring_send(struct ring *_Nonnull ring, uint32_t slot, uint32_t offset, uint32_t byte_count,
              const struct datagram_address *_Nonnull to);
// Sends what is queued. The slots are free afterwards, sent or not.
int ring_submit(struct ring *_Nonnull ring);
void ring_read_stats(const struct ring *_Nonnull ring, struct ring_stats *_Nonnull out);
