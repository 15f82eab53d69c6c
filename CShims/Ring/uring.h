#pragma once

#include "port_private.h"
#include "uring_extra.h"

enum { GROUP = 0 };
_Static_assert(sizeof(struct io_uring_recvmsg_out) + NAME_BYTES + CONTROL_BYTES == PORT_HEAD_BYTES,
               "what came follows the head");

// A buffer the kernel has filled, not yet taken.
struct filled {
    uint32_t buffer;
    int32_t length;
};

struct uring {
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    struct msghdr receive; // lengths of name and control data for the multishot receive
    struct filled *filled; // a ring of as many places as buffers
    uint32_t filled_head, filled_count;
    uint32_t offered; // buffers with the kernel
    uint32_t held[PORT_ARRIVALS];
    int receiving, watching; // the multishot receive, the poll of `wake`
    int status;              // -errno when the port is of no use any more
};

void uring_offer(struct port *port, const uint32_t *buffers, uint32_t count);
// Makes entries for the receive and the poll of `wake`, where they are not armed.
void uring_arm(struct port *port);
// Submits all entries. Those with MSG_DONTWAIT are done when it returns.
int uring_submit(struct port *port);
// One enter, that sleeps if `want` is not 0.
int uring_enter(struct port *port, uint32_t want, uint64_t batch_nanos, uint64_t timeout_nanos);

int uring_wait(struct port *port, uint32_t want, uint64_t batch_nanos, uint64_t timeout_nanos);
uint32_t uring_take(struct port *port, uint32_t max);
void uring_release(struct port *port);
int uring_pause(struct port *port);
int uring_transmit(struct port *port, uint32_t count);
