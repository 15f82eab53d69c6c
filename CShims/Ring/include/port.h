#pragma once

#include <stddef.h>
#include <stdint.h>

#include "socket.h"

// One thread's way to the network: arrivals in big buffers, departures in trains. A train is up to
// 64 datagrams of one size to one address, side by side in memory, that the kernel cuts apart
// (UDP_SEGMENT); an arrival may be such a train put together again (UDP_GRO).
//
// Every function returns >= 0, or -errno. All but port_open, port_close and port_wake belong to the
// thread that called port_start.

struct port;
struct simulated_network;

// Bytes before what came in a receive buffer: the kernel's header, the sender's address, control
// data.
#define PORT_HEAD_BYTES 128
// Most arrivals held at once.
#define PORT_ARRIVALS 64
// Most datagrams of a train, and most bytes.
#define PORT_SEGMENTS    64
#define PORT_TRAIN_BYTES 65000
// Most sizes of the length filter.
#define PORT_LENGTHS 8

enum port_backend : uint32_t {
    PORT_AUTOMATIC = 0, // io_uring, or system calls where it is not to be had
    PORT_URING = 1,
    PORT_SYSCALLS = 2,
    PORT_SIMULATED = 3,
};

// What is in use.
enum port_feature : uint32_t {
    PORT_SINGLE_ISSUER = 1 << 0,
    PORT_DEFER_TASKRUN = 1 << 1,
    PORT_SIZED_QUEUE = 1 << 2,   // room for every completion there can be
    PORT_KNOWN_RING = 1 << 3,    // the ring's descriptor is registered
    PORT_BATCH_WAIT = 1 << 4,    // waits for more than the first arrival
    PORT_SEGMENTATION = 1 << 5,  // the socket can send trains
    PORT_COALESCING = 1 << 6,    // the socket puts arrivals together
    PORT_LENGTH_FILTER = 1 << 7, // the socket drops other lengths
};

struct port_config {
    enum port_backend backend;
    int socket; // outlives the port; -1 with PORT_SIMULATED
    struct simulated_network *_Nullable network;
    struct datagram_address at; // the simulated address
    uint8_t *_Nonnull memory;   // 64-byte aligned: receive buffers, then trains
    uint64_t receive_stride;    // of a buffer, head included; a multiple of 64
    uint64_t train_stride;
    uint32_t receive_buffers; // power of two <= 32768
    uint32_t trains;          // at most 4096
    uint32_t train_bytes;     // at most PORT_TRAIN_BYTES
    int segmentation, coalescing;
    uint32_t completions; // least room for completions; 0: enough for all there can be
    uint32_t peeled;      // wishes that are given up beforehand, as on an older kernel
    uint32_t lengths_count;
    uint32_t lengths[PORT_LENGTHS]; // the only sizes that come in; none: all of them
};

struct port_arrival {
    uint8_t *_Nonnull bytes;
    uint32_t byte_count;    // what was kept
    uint32_t segment_bytes; // every datagram but the last has this many
    uint32_t truncated;     // 1 if the buffer was too short
    struct datagram_address source;
};

struct port_stats {
    uint64_t enters;           // system calls
    uint64_t armed;            // receives armed
    uint64_t dry;              // receives that ended because no buffer was left
    uint64_t overflows;        // times the completion queue was full
    uint64_t interrupted;      // calls that a signal ended
    uint64_t wakes;            // by port_wake
    uint64_t arrivals;         // taken
    uint64_t receive_refused;  // receives that ended because a host refused an earlier datagram
    uint64_t receive_errors;   // receives that ended for another reason
    uint64_t queued;           // datagrams given to port_send, each of which is sent, dropped for
    uint64_t sent;             // one of the four reasons below, or still queued
    uint64_t too_long;         // longer than the path takes
    uint64_t busy;             // the socket's buffer stayed full
    uint64_t refused;          // refused by a host again and again
    uint64_t failed;           // any other error
    uint64_t packets_lost;     // in trains of which a datagram was dropped
    uint64_t trains;           // sent in one piece
    uint64_t retries;          // sends put off to the next submit
    uint64_t segmentation_off; // times a train was refused and its datagrams were not
};

// A datagram or train that the kernel would not take.
struct port_failure {
    struct datagram_address to;
    int32_t status; // -errno
};

// Sets up a port; with PORT_AUTOMATIC it falls back by itself. -EPERM, -ENOSYS, -EINVAL of
// PORT_URING: not permitted here, or too old a kernel.
int port_open(const struct port_config *_Nonnull config, struct port *_Nullable *_Nonnull out);
// Ends all requests and frees the port.
void port_close(struct port *_Nonnull port);
// Makes the calling thread the owner, and receives from now on.
int port_start(struct port *_Nonnull port);
// Ends a wait from any thread.
void port_wake(struct port *_Nonnull port);

// A descriptor to end waits with, also when the port is gone; the caller closes it.
int port_bell(const struct port *_Nonnull port);
void port_ring_bell(int bell);

enum port_backend port_kind(const struct port *_Nonnull port);
uint32_t port_features(const struct port *_Nonnull port);
// Why PORT_AUTOMATIC took system calls: -errno, or 0.
int port_fallback(const struct port *_Nonnull port);

// Waits until `want` completions are there, or `timeout_nanos` passed. With `batch_nanos` it
// returns after that time with at least one. Fails only when the port is of no use any more.
int port_wait(struct port *_Nonnull port, uint32_t want, uint64_t batch_nanos,
              uint64_t timeout_nanos);
// Takes what has come, at most `max` and PORT_ARRIVALS; nothing may be held. They stay where they
// are until port_release.
uint32_t port_take(struct port *_Nonnull port, uint32_t max);
const struct port_arrival *_Nonnull port_held(const struct port *_Nonnull port);
// Gives all held buffers back to the kernel.
void port_release(struct port *_Nonnull port);

// Leaves what comes in the socket from now on; what has been received already can still be taken.
int port_pause(struct port *_Nonnull port);
// Receives again.
void port_resume(struct port *_Nonnull port);

// Takes a free train: its number, or -EBUSY.
int port_take_train(struct port *_Nonnull port);
// Gives a taken train back unsent.
void port_give_train(struct port *_Nonnull port, uint32_t train);
uint32_t port_free_trains(const struct port *_Nonnull port);
// Trains waiting for port_submit.
uint32_t port_queued(const struct port *_Nonnull port);
// Queues a taken train with so many packets in it. If it fails the train is still the caller's:
// -EINVAL for a length, -EAFNOSUPPORT for an address that this socket cannot reach.
int port_send(struct port *_Nonnull port, uint32_t train, uint32_t byte_count,
              uint32_t segment_bytes, uint32_t packets, const struct datagram_address *_Nonnull to);
// Sends what is queued. Afterwards every train is free but those that a full socket buffer holds
// back; they stay queued for the next submits, a bounded number of them.
int port_submit(struct port *_Nonnull port);
// Submits, and waits `millis` at most for room in the socket's buffer until all is sent.
int port_flush(struct port *_Nonnull port, int millis);
// 1 if trains are sent in one piece.
int port_segmentation(const struct port *_Nonnull port);
// Sends trains in one piece or not; stays off where the socket cannot.
void port_set_segmentation(struct port *_Nonnull port, int on);
// Replaces the sizes that come in.
int port_set_lengths(struct port *_Nonnull port, const uint32_t *_Nonnull lengths, uint32_t count);
// The oldest failure not told yet: 1, or 0 if there is none. The last 16 are kept.
int port_next_failure(struct port *_Nonnull port, struct port_failure *_Nonnull out);

// Nanoseconds of the monotonic clock, or the network's.
uint64_t port_nanos(const struct port *_Nonnull port);
void port_read_stats(const struct port *_Nonnull port, struct port_stats *_Nonnull out);
