#include "port_private.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

int port_take_train(struct port *port) {
    if (port->free_count == 0) return -EBUSY;
    const uint32_t train = port->free[--port->free_count];
    port->trains[train].state = TRAIN_TAKEN;
    return (int)train;
}

static void free_train(struct port *port, uint32_t train) {
    port->trains[train].state = TRAIN_FREE;
    port->free[port->free_count++] = train;
}

void port_give_train(struct port *port, uint32_t train) {
    if (train < port->config.trains && port->trains[train].state == TRAIN_TAKEN)
        free_train(port, train);
}

uint32_t port_free_trains(const struct port *port) { return port->free_count; }

uint32_t port_queued(const struct port *port) { return port->queued; }

int port_send(struct port *port, uint32_t train, uint32_t byte_count, uint32_t segment_bytes,
              uint32_t packets, const struct datagram_address *to) {
    if (train >= port->config.trains || port->trains[train].state != TRAIN_TAKEN) return -EINVAL;
    if (byte_count == 0 || byte_count > port->config.train_bytes || segment_bytes == 0)
        return -EINVAL;
    const uint32_t segments = (byte_count - 1) / segment_bytes + 1;
    if (segments > PORT_SEGMENTS) return -EINVAL;
    struct train *t = &port->trains[train];
    t->name_bytes = address_write(to, port->family, &t->name);
    // The kernel says EINVAL to port 0, as it does to a train it cannot cut.
    if (t->name_bytes == 0 || to->port == 0) return -EAFNOSUPPORT;
    t->to = *to;
    t->byte_count = byte_count;
    t->segment_bytes = segment_bytes;
    t->segments = segments;
    t->packets = packets;
    t->tries = 0;
    t->unsent = ~(uint64_t)0 >> (64 - segments);
    t->state = TRAIN_QUEUED;
    t->manner = TRAIN_WHOLE;
    port->queue[port->queued++] = train;
    port->stats.queued += segments;
    return 0;
}

static void tell_failure(struct port *port, const struct train *train, int status) {
    const uint32_t last = (port->failures_head + port->failures_count - 1) % FAILURES;
    const struct port_failure *before = &port->failures[last];
    // The datagrams of a train fail alike.
    if (port->failures_count > 0 && before->status == status &&
        memcmp(&before->to, &train->to, sizeof train->to) == 0)
        return;
    const uint32_t place = (last + 1) % FAILURES;
    port->failures[place] = (struct port_failure){train->to, status};
    if (port->failures_count < FAILURES)
        port->failures_count++;
    else
        port->failures_head = (port->failures_head + 1) % FAILURES;
}

int port_next_failure(struct port *port, struct port_failure *out) {
    if (port->failures_count == 0) return 0;
    *out = port->failures[port->failures_head];
    port->failures_head = (port->failures_head + 1) % FAILURES;
    port->failures_count--;
    return 1;
}

// Some errors pass: a full buffer, and the refusal of an earlier datagram, told now.
static int passes(int status) {
    return status == -EAGAIN || status == -ENOBUFS || status == -ECONNREFUSED || status == -EINTR;
}

static void drop(struct port *port, struct train *train, uint32_t count, int status) {
    switch (status) {
    case -EMSGSIZE:
        port->stats.too_long += count;
        break;
    case -ECONNREFUSED:
        port->stats.refused += count;
        break;
    case -EAGAIN:
    case -ENOBUFS:
    case -EINTR:
        port->stats.busy += count;
        break;
    default:
        port->stats.failed += count;
    }
    // Which of them were in these datagrams is not known: all count, once.
    port->stats.packets_lost += train->packets;
    train->packets = 0;
    tell_failure(port, train, status);
}

// What became of a message.
static void settle(struct port *port, const struct message *message) {
    struct train *train = &port->trains[message->train];
    const uint64_t bits = (~(uint64_t)0 >> (64 - message->count)) << message->first;
    const int status = message->status;
    if (status >= 0) {
        train->unsent &= ~bits;
        port->stats.sent += message->count;
        if (message->count > 1) port->stats.trains++;
        // The datagrams go where the train did not: it was the cutting.
        if (train->manner == TRAIN_SINGLY && port->segmentation) {
            port->segmentation = 0;
            port->stats.segmentation_off++;
        }
    } else if (message->count > 1 && (status == -EIO || status == -EINVAL)) {
        train->manner = TRAIN_REFUSED;
    } else if (!passes(status) || train->tries + 1 >= TRIES) {
        train->unsent &= ~bits;
        drop(port, train, message->count, status);
    } else {
        port->stats.retries++;
    }
}

static int flush(struct port *port) {
    const uint32_t count = port->message_count;
    if (count == 0) return 0;
    for (uint32_t i = 0; i < count; i++) port->messages[i].status = -EAGAIN;
    port->message_count = 0;
    const int status = port->backend->transmit(port, count);
    if (status < 0) return status;
    for (uint32_t i = 0; i < count; i++) settle(port, &port->messages[i]);
    return 0;
}

static void add_message(struct port *port, uint32_t number, uint32_t first, uint32_t count) {
    struct train *train = &port->trains[number];
    const uint32_t place = port->message_count++, start = first * train->segment_bytes;
    const uint32_t rest = train->byte_count - start, one = train->segment_bytes;
    struct message *message = &port->messages[place];
    struct msghdr *header = &port->headers[place].msg_hdr;
    const struct port_config *config = &port->config;
    uint8_t *base = config->memory + config->receive_buffers * config->receive_stride +
                    number * config->train_stride;
    message->train = number;
    message->first = first;
    message->count = count;
    message->vector = (struct iovec){base + start, count > 1 || rest < one ? rest : one};
    *header = (struct msghdr){.msg_name = &train->name,
                              .msg_namelen = train->name_bytes,
                              .msg_iov = &message->vector,
                              .msg_iovlen = 1};
    if (count == 1) return;
    const uint16_t size = (uint16_t)one;
    struct cmsghdr *control = &message->control.head;
    header->msg_control = &message->control;
    header->msg_controllen = sizeof message->control;
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(control), &size, sizeof size);
}

// Makes messages of a train; sends them when there is no room for more.
static int compose(struct port *port, uint32_t number) {
    struct train *train = &port->trains[number];
    const int whole = train->segments > 1 && port->segmentation && train->manner == TRAIN_WHOLE;
    if (train->manner == TRAIN_REFUSED) train->manner = TRAIN_SINGLY;
    uint64_t left = train->unsent;
    while (left != 0) {
        const uint32_t first = (uint32_t)__builtin_ctzll(left);
        add_message(port, number, first, whole ? train->segments : 1);
        left = whole ? 0 : left & (left - 1);
        if (port->message_count < MESSAGES) continue;
        const int status = flush(port);
        if (status < 0) return status;
    }
    return 0;
}

// Frees what is done; keeps the rest in order.
static void clear_queue(struct port *port) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < port->queued; i++) {
        struct train *train = &port->trains[port->queue[i]];
        if (train->unsent == 0) {
            free_train(port, port->queue[i]);
        } else {
            train->tries++;
            port->queue[kept++] = port->queue[i];
        }
    }
    port->queued = kept;
}

int port_submit(struct port *port) {
    if (port->queued == 0) return 0;
    int status = 0;
    for (uint32_t i = 0; i < port->queued && status >= 0; i++)
        status = compose(port, port->queue[i]);
    if (status >= 0) status = flush(port);
    // Once more for trains that were refused as such.
    for (uint32_t i = 0; i < port->queued && status >= 0; i++)
        if (port->trains[port->queue[i]].manner == TRAIN_REFUSED)
            status = compose(port, port->queue[i]);
    if (status >= 0) status = flush(port);
    if (status >= 0) clear_queue(port);
    return status;
}

int port_flush(struct port *port, int millis) {
    int status = port_submit(port);
    const uint64_t end = port_nanos(port) + (uint64_t)millis * 1000000u;
    // A submit too many drops what it cannot send: only when there is room.
    while (status >= 0 && port->queued > 0 && port_nanos(port) < end) {
        struct pollfd watched = {.fd = port->config.socket, .events = POLLOUT};
        if (poll(&watched, 1, 1) == 1) status = port_submit(port);
    }
    return status;
}

int port_segmentation(const struct port *port) { return port->segmentation; }

void port_set_segmentation(struct port *port, int on) {
    port->segmentation = on && (port->features & PORT_SEGMENTATION);
}
