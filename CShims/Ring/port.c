#include "port_private.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

uint8_t *port_buffer(const struct port *port, uint32_t index) {
    return port->config.memory + (uint64_t)index * port->config.receive_stride;
}

uint64_t port_monotonic(const struct port *port) {
    (void)port;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void port_drain_wake(struct port *port) {
    uint64_t count;
    if (read(port->wake, &count, sizeof count) == sizeof count) port->stats.wakes += count;
}

uint32_t port_segment(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        int size;
        if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO) continue;
        memcpy(&size, CMSG_DATA(c), sizeof size);
        return size > 0 ? (uint32_t)size : 0;
    }
    return 0;
}

// What the socket can do, tried out on it.
static int prepare_socket(struct port *port) {
    const int fd = port->config.socket, on = 1, off = 0;
    socklen_t length = sizeof port->family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &port->family, &length) != 0) return -errno;
    if (port->config.segmentation && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &off, sizeof off) == 0)
        port->features |= PORT_SEGMENTATION;
    // Off too: an adopted socket may have it on.
    if (setsockopt(fd, SOL_UDP, UDP_GRO, port->config.coalescing ? &on : &off, sizeof on) == 0 &&
        port->config.coalescing)
        port->features |= PORT_COALESCING;
    return 0;
}

static int take_memory(struct port *port) {
    const uint32_t trains = port->config.trains;
    port->trains = calloc(trains, sizeof *port->trains);
    port->free = calloc(trains, sizeof *port->free);
    port->queue = calloc(trains, sizeof *port->queue);
    port->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!port->trains || !port->free || !port->queue || port->wake < 0) return -ENOMEM;
    for (uint32_t i = 0; i < trains; i++) port->free[i] = trains - 1 - i;
    port->free_count = trains;
    return 0;
}

static int use(struct port *port, const struct backend *backend) {
    port->backend = backend;
    return backend->open(port);
}

// Takes the other backend, if the first one's refusal allows it.
static int fall_back(struct port *port, int reason) {
    if (port->config.backend != PORT_AUTOMATIC || port->backend != &port_uring) return reason;
    port->fallback = reason;
    return use(port, &port_syscalls);
}

static int choose_backend(struct port *port) {
    switch (port->config.backend) {
    case PORT_AUTOMATIC:
    case PORT_URING: {
        const int status = use(port, &port_uring);
        return status < 0 ? fall_back(port, status) : status;
    }
    case PORT_SYSCALLS:
        return use(port, &port_syscalls);
    case PORT_SIMULATED:
        return use(port, &port_simulated);
    }
    return -EINVAL;
}

int port_open(const struct port_config *config, struct port **out) {
    struct port *port = calloc(1, sizeof *port);
    if (!port) return -ENOMEM;
    port->config = *config;
    port->config.lengths_count = 0;
    port->wake = -1;
    int status = take_memory(port);
    if (status >= 0 && config->backend != PORT_SIMULATED) status = prepare_socket(port);
    if (status >= 0) status = choose_backend(port);
    if (status >= 0) {
        port->segmentation = (port->features & PORT_SEGMENTATION) != 0;
        status = port_set_lengths(port, config->lengths, config->lengths_count);
    }
    if (status < 0) {
        port_close(port);
        return status;
    }
    *out = port;
    return 0;
}

void port_close(struct port *port) {
    if (port->backend) port->backend->close(port);
    if (port->wake >= 0) close(port->wake);
    free(port->trains);
    free(port->free);
    free(port->queue);
    free(port);
}

int port_start(struct port *port) {
    int status = port->backend->start(port);
    if (status >= 0) return status;
    const struct backend *refused = port->backend;
    if (port->config.backend == PORT_AUTOMATIC && refused == &port_uring) refused->close(port);
    status = fall_back(port, status);
    return status < 0 ? status : port->backend->start(port);
}

int port_bell(const struct port *port) {
    const int bell = fcntl(port->wake, F_DUPFD_CLOEXEC, 0);
    return bell < 0 ? -errno : bell;
}

void port_ring_bell(int bell) {
    const uint64_t one = 1;
    (void)!write(bell, &one, sizeof one);
}

void port_wake(struct port *port) {
    const uint64_t one = 1;
    (void)!write(port->wake, &one, sizeof one);
}

enum port_backend port_kind(const struct port *port) { return port->backend->kind; }

uint32_t port_features(const struct port *port) { return port->features; }

int port_fallback(const struct port *port) { return port->fallback; }

int port_wait(struct port *port, uint32_t want, uint64_t batch_nanos, uint64_t timeout_nanos) {
    // What a full socket buffer holds back is to be tried again soon.
    const uint64_t soon = 200000;
    if (port->queued > 0 && timeout_nanos > soon) timeout_nanos = soon;
    return port->backend->wait(port, want, batch_nanos, timeout_nanos);
}

uint32_t port_take(struct port *port, uint32_t max) {
    if (port->held_count > 0) return 0;
    port->held_count = port->backend->take(port, max < PORT_ARRIVALS ? max : PORT_ARRIVALS);
    port->stats.arrivals += port->held_count;
    return port->held_count;
}

const struct port_arrival *port_held(const struct port *port) { return port->held; }

void port_release(struct port *port) {
    if (port->held_count > 0) port->backend->release(port);
    port->held_count = 0;
}

int port_pause(struct port *port) {
    port->paused = 1;
    return port->backend->pause(port);
}

void port_resume(struct port *port) { port->paused = 0; }

uint64_t port_nanos(const struct port *port) { return port->backend->nanos(port); }

void port_read_stats(const struct port *port, struct port_stats *out) { *out = port->stats; }

int port_set_lengths(struct port *port, const uint32_t *lengths, uint32_t count) {
    if (count > PORT_LENGTHS) return -EINVAL;
    if (port->config.backend != PORT_SIMULATED) {
        const int whole = (port->features & PORT_COALESCING) != 0;
        const int status = port_filter(port->config.socket, lengths, count, whole);
        if (status < 0) return status;
    }
    memcpy(port->config.lengths, lengths, count * sizeof *lengths);
    port->config.lengths_count = count;
    port->features &= ~(uint32_t)PORT_LENGTH_FILTER;
    if (count > 0) port->features |= PORT_LENGTH_FILTER;
    return 0;
}
