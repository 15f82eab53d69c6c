#pragma once

#define _GNU_SOURCE
#include "address.h"
#include "port.h"

#include <netinet/in.h>
#include <sys/socket.h>

// What the three backends share.

enum { MESSAGES = 256, TRIES = 16, FAILURES = 16, NAME_BYTES = 32, CONTROL_BYTES = 80 };

enum train_state { TRAIN_FREE = 0, TRAIN_TAKEN, TRAIN_QUEUED };
// How a train goes: in one piece if it can; datagram by datagram from the next round on, since one
// piece was refused; or so already.
enum train_manner { TRAIN_WHOLE = 0, TRAIN_REFUSED, TRAIN_SINGLY };

struct train {
    struct sockaddr_storage name;
    socklen_t name_bytes;
    struct datagram_address to;
    uint32_t byte_count, segment_bytes, segments;
    uint32_t tries;  // submits that could not send all of it
    uint64_t unsent; // bit i: datagram i is still to be sent
    enum train_state state;
    enum train_manner manner;
    uint32_t packets; // that are lost with it
};

// One send: a train, or one of its datagrams.
struct message {
    uint32_t train, first, count;
    int status; // set by `transmit`: 0, or -errno
    struct iovec vector;
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control;
};

// Every call is for a batch.
struct backend {
    enum port_backend kind;
    int (*open)(struct port *port);
    void (*close)(struct port *port);
    int (*start)(struct port *port);
    int (*wait)(struct port *port, uint32_t want, uint64_t batch_nanos, uint64_t timeout_nanos);
    // Fills `held`, with `max` at most; returns how many.
    uint32_t (*take)(struct port *port, uint32_t max);
    void (*release)(struct port *port);
    // Ends the receive; `paused` is set.
    int (*pause)(struct port *port);
    // Sends `messages` and sets their `status`, -EAGAIN before.
    int (*transmit)(struct port *port, uint32_t count);
    uint64_t (*nanos)(const struct port *port);
};

struct port {
    struct port_config config;
    const struct backend *backend;
    void *state; // the backend's
    int family, wake;
    uint32_t features;
    int fallback;
    int segmentation, paused;
    struct port_stats stats;

    struct port_arrival held[PORT_ARRIVALS];
    uint32_t held_count;

    struct train *trains;
    uint32_t *free; // stack of free trains
    uint32_t free_count;
    uint32_t *queue; // trains to be sent, oldest first
    uint32_t queued;
    struct message messages[MESSAGES];
    struct mmsghdr headers[MESSAGES];
    uint32_t message_count;

    struct port_failure failures[FAILURES];
    uint32_t failures_head, failures_count;
};

extern const struct backend port_uring, port_syscalls, port_simulated;

uint8_t *port_buffer(const struct port *port, uint32_t index);
// The clock of the two real backends.
uint64_t port_monotonic(const struct port *port);
// Takes the wake-ups there are.
void port_drain_wake(struct port *port);
// The segment size that control data tell, or 0.
uint32_t port_segment(struct msghdr *message);
// Sizes that come in, for the kernel.
int port_filter(int socket, const uint32_t *lengths, uint32_t count, int coalescing);
// 1 if a datagram of this length comes in.
int port_lets_in(const struct port *port, uint32_t byte_count);
