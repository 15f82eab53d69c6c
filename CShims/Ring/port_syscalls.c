#include "port_private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct syscalls {
    struct mmsghdr headers[PORT_ARRIVALS];
    struct iovec vectors[PORT_ARRIVALS];
    struct sockaddr_storage names[PORT_ARRIVALS];
    union {
        struct cmsghdr head;
        char bytes[CONTROL_BYTES];
    } controls[PORT_ARRIVALS];
    uint32_t places; // buffers in use: no more than one batch
    uint32_t filled, taken;
    int busy; // the last call brought something
    int status;
};

static int syscalls_open(struct port *port) {
    struct syscalls *state = calloc(1, sizeof *state);
    if (!state) return -ENOMEM;
    const uint32_t buffers = port->config.receive_buffers;
    state->places = buffers < PORT_ARRIVALS ? buffers : PORT_ARRIVALS;
    for (uint32_t i = 0; i < state->places; i++) {
        state->vectors[i] = (struct iovec){port_buffer(port, i) + PORT_HEAD_BYTES,
                                           port->config.receive_stride - PORT_HEAD_BYTES};
        state->headers[i].msg_hdr = (struct msghdr){.msg_name = &state->names[i],
                                                    .msg_iov = &state->vectors[i],
                                                    .msg_iovlen = 1,
                                                    .msg_control = &state->controls[i]};
    }
    port->state = state;
    return 0;
}

static void syscalls_close(struct port *port) {
    free(port->state);
    port->state = NULL;
}

static int syscalls_start(struct port *port) {
    port->stats.armed++;
    return 0;
}

static void end_receive(struct port *port, int error) {
    struct syscalls *state = port->state;
    switch (error) {
    case EAGAIN:
        return;
    case EINTR:
        port->stats.interrupted++;
        return;
    case ECONNREFUSED:
        port->stats.receive_refused++;
        return;
    case EBADF:
    case ENOTSOCK:
    case EINVAL:
        state->status = -error;
        return;
    default:
        port->stats.receive_errors++;
    }
}

static void receive(struct port *port) {
    struct syscalls *state = port->state;
    if (port->paused) return;
    for (uint32_t i = 0; i < state->places; i++) {
        state->headers[i].msg_hdr.msg_namelen = sizeof state->names[i];
        state->headers[i].msg_hdr.msg_controllen = sizeof state->controls[i];
    }
    port->stats.enters++;
    const int count = recvmmsg(
        port->config.socket, state->headers, state->places, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (count < 0) end_receive(port, errno);
    state->filled = count > 0 ? (uint32_t)count : 0;
    state->taken = 0;
    state->busy = count > 0;
}

// There is no wait for more than one arrival here: `want` and `batch_nanos` have no effect, and
// batches fill while the caller works.
static int syscalls_wait(struct port *port, uint32_t want, uint64_t batch_nanos,
                         uint64_t timeout_nanos) {
    (void)want, (void)batch_nanos;
    struct syscalls *state = port->state;
    // Buffers that are held cannot be received into.
    if (state->taken < state->filled || port->held_count > 0) return state->status;
    if (state->busy || timeout_nanos == 0) receive(port);
    if (state->taken < state->filled || timeout_nanos == 0) return state->status;
    struct pollfd watched[] = {{.fd = port->paused ? -1 : port->config.socket, .events = POLLIN},
                               {.fd = port->wake, .events = POLLIN}};
    const struct timespec until = {.tv_sec = (time_t)(timeout_nanos / 1000000000u),
                                   .tv_nsec = (long)(timeout_nanos % 1000000000u)};
    port->stats.enters++;
    const int ready = ppoll(watched, 2, &until, NULL);
    if (ready < 0) {
        if (errno != EINTR) return -errno;
        port->stats.interrupted++;
        return 0;
    }
    if (watched[1].revents) port_drain_wake(port);
    if (watched[0].revents) receive(port);
    return state->status;
}

static uint32_t syscalls_take(struct port *port, uint32_t max) {
    struct syscalls *state = port->state;
    uint32_t count = 0;
    for (; count < max && state->taken < state->filled; count++) {
        const uint32_t i = state->taken++;
        struct port_arrival *out = &port->held[count];
        struct msghdr *header = &state->headers[i].msg_hdr;
        const uint32_t room = (uint32_t)state->vectors[i].iov_len, sent = state->headers[i].msg_len;
        out->bytes = state->vectors[i].iov_base;
        out->byte_count = sent < room ? sent : room;
        out->segment_bytes = port_segment(header);
        if (out->segment_bytes == 0 || out->segment_bytes > out->byte_count)
            out->segment_bytes = out->byte_count;
        out->truncated = (header->msg_flags & MSG_TRUNC) != 0;
        address_read(header->msg_name, header->msg_namelen, &out->source);
    }
    return count;
}

static void syscalls_release(struct port *port) { (void)port; }

static int syscalls_pause(struct port *port) {
    (void)port;
    return 0;
}

static int syscalls_transmit(struct port *port, uint32_t count) {
    uint32_t done = 0;
    while (done < count) {
        port->stats.enters++;
        const int sent = sendmmsg(
            port->config.socket, port->headers + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            port->stats.interrupted++;
            continue;
        }
        // A full buffer holds back all that follow, which are marked so.
        if (sent < 0 && errno == EAGAIN) break;
        // An error is the first message's; those before it were told as sent.
        if (sent < 0) {
            port->messages[done++].status = -errno;
            continue;
        }
        for (int i = 0; i < sent; i++) port->messages[done++].status = 0;
    }
    return 0;
}

const struct backend port_syscalls = {
    .kind = PORT_SYSCALLS,
    .open = syscalls_open,
    .close = syscalls_close,
    .start = syscalls_start,
    .wait = syscalls_wait,
    .take = syscalls_take,
    .release = syscalls_release,
    .pause = syscalls_pause,
    .transmit = syscalls_transmit,
    .nanos = port_monotonic,
};
