#include "uring.h"

#include <errno.h>
#include <poll.h>

enum { KIND_RECEIVE = 1, KIND_WAKE = 2, KIND_SEND = 3, KIND_CANCEL = 4 };

void uring_offer(struct port *port, const uint32_t *buffers, uint32_t count) {
    struct uring *uring = port->state;
    const int mask = io_uring_buf_ring_mask(port->config.receive_buffers);
    for (uint32_t i = 0; i < count; i++)
        io_uring_buf_ring_add(uring->buffers,
                              port_buffer(port, buffers[i]),
                              (unsigned)port->config.receive_stride,
                              (unsigned short)buffers[i],
                              mask,
                              (int)i);
    io_uring_buf_ring_advance(uring->buffers, (int)count);
    uring->offered += count;
}

void uring_arm(struct port *port) {
    struct uring *uring = port->state;
    // Armed again at once an empty buffer ring would end it again: wait for a quarter.
    if (!port->paused && !uring->receiving && uring->offered * 4 >= port->config.receive_buffers) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
        if (!sqe) return;
        // MSG_TRUNC: the length is the datagram's, even if the buffer is shorter.
        io_uring_prep_recvmsg_multishot(sqe, port->config.socket, &uring->receive, MSG_TRUNC);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = GROUP;
        io_uring_sqe_set_data64(sqe, (uint64_t)KIND_RECEIVE << 32);
        uring->receiving = 1;
        port->stats.armed++;
    }
    if (!uring->watching) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
        if (!sqe) return;
        io_uring_prep_poll_multishot(sqe, port->wake, POLLIN);
        io_uring_sqe_set_data64(sqe, (uint64_t)KIND_WAKE << 32);
        uring->watching = 1;
    }
}

static void end_receive(struct port *port, int status) {
    struct uring *uring = port->state;
    switch (status) {
    case -ENOBUFS:
        port->stats.dry++;
        break;
    case -ECONNREFUSED:
        port->stats.receive_refused++;
        break;
    case -ECANCELED:
        break;
    case -EINVAL:
    case -EBADF:
    case -ENOTSOCK:
    case -EOPNOTSUPP:
        uring->status = status;
        break;
    default:
        port->stats.receive_errors++;
    }
}

static void read_completion(struct port *port, const struct io_uring_cqe *cqe) {
    struct uring *uring = port->state;
    const uint64_t data = io_uring_cqe_get_data64(cqe);
    switch (data >> 32) {
    case KIND_RECEIVE:
        if (!(cqe->flags & IORING_CQE_F_MORE)) uring->receiving = 0;
        if (cqe->res < 0) end_receive(port, cqe->res);
        if (!(cqe->flags & IORING_CQE_F_BUFFER)) return;
        const uint32_t place = uring->filled_head + uring->filled_count++;
        uring->filled[place & (port->config.receive_buffers - 1)] =
            (struct filled){cqe->flags >> IORING_CQE_BUFFER_SHIFT, cqe->res};
        uring->offered--;
        return;
    case KIND_WAKE:
        if (!(cqe->flags & IORING_CQE_F_MORE)) uring->watching = 0;
        port_drain_wake(port);
        return;
    case KIND_SEND:
        port->messages[(uint32_t)data].status = cqe->res;
        return;
    }
}

// Takes every completion out of the kernel's queue, which may have overflowed.
static void reap(struct port *port) {
    struct uring *uring = port->state;
    for (int tries = 0; tries < 64; tries++) {
        unsigned head, seen = 0;
        struct io_uring_cqe *cqe;
        io_uring_for_each_cqe(&uring->ring, head, cqe) {
            seen++;
            read_completion(port, cqe);
        }
        io_uring_cq_advance(&uring->ring, seen);
        if (!io_uring_cq_has_overflow(&uring->ring)) return;
        port->stats.overflows++;
        port->stats.enters++;
        io_uring_get_events(&uring->ring);
    }
}

int uring_submit(struct port *port) {
    struct uring *uring = port->state;
    for (int tries = 0; io_uring_sq_ready(&uring->ring) > 0; tries++) {
        const int status = io_uring_submit(&uring->ring);
        port->stats.enters++;
        if (status == -EINTR) port->stats.interrupted++;
        if (status >= 0 || status == -EINTR) continue;
        // The completion queue is full, or memory is short for a moment.
        if ((status != -EBUSY && status != -EAGAIN) || tries >= 1000) return status;
        port->stats.enters++;
        io_uring_get_events(&uring->ring);
        reap(port);
    }
    return 0;
}

int uring_transmit(struct port *port, uint32_t count) {
    struct uring *uring = port->state;
    int status = 0;
    for (uint32_t i = 0; i < count && status >= 0; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
        if (!sqe) {
            status = uring_submit(port);
            sqe = io_uring_get_sqe(&uring->ring);
            if (status < 0 || !sqe) return status < 0 ? status : -EBUSY;
        }
        io_uring_prep_sendmsg(
            sqe, port->config.socket, &port->headers[i].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        io_uring_sqe_set_data64(sqe, (uint64_t)KIND_SEND << 32 | i);
        port->messages[i].status = 0;
    }
    if (status >= 0) status = uring_submit(port);
    reap(port);
    return status;
}

int uring_enter(struct port *port, uint32_t want, uint64_t batch_nanos, uint64_t timeout_nanos) {
    struct uring *uring = port->state;
    const struct __kernel_timespec until = {.tv_sec = (int64_t)(timeout_nanos / 1000000000u),
                                            .tv_nsec = (int64_t)(timeout_nanos % 1000000000u)};
    const int batches = batch_nanos >= 1000 && (port->features & PORT_BATCH_WAIT);
    if (want > 1 && !batches) want = 1;
    port->stats.enters++;
    const int status = uring_enter_wait(&uring->ring,
                                        want,
                                        want > 0 && batches ? (uint32_t)(batch_nanos / 1000) : 0,
                                        want > 0 ? &until : NULL);
    reap(port);
    if (status == -EINTR) port->stats.interrupted++;
    // The caller goes round again after a signal, a full completion queue, and a timeout.
    if (status == -ETIME || status == -EINTR || status == -EBUSY || status == -EAGAIN) return 0;
    return status < 0 ? status : 0;
}

int uring_wait(struct port *port, uint32_t want, uint64_t batch_nanos, uint64_t timeout_nanos) {
    struct uring *uring = port->state;
    const int tells = (port->features & PORT_DEFER_TASKRUN) != 0;
    int status = 0;
    uring_arm(port);
    if (io_uring_sq_ready(&uring->ring) > 0) {
        status = uring_submit(port);
        reap(port);
    }
    uint32_t before = uring->filled_count;
    if (status >= 0 && before < PORT_ARRIVALS) {
        const int sleeps = before == 0 && timeout_nanos > 0;
        if (sleeps || !tells || uring_has_work(&uring->ring))
            status = uring_enter(port, sleeps ? want : 0, batch_nanos, timeout_nanos);
    }
    // One enter brings a bounded number: go on until there is no more, or a full batch.
    while (status >= 0 && uring->filled_count > before && uring->filled_count < PORT_ARRIVALS &&
           uring->receiving && (!tells || uring_has_work(&uring->ring))) {
        before = uring->filled_count;
        status = uring_enter(port, 0, 0, 0);
    }
    return status < 0 ? status : uring->status;
}

static int read_arrival(struct port *port, const struct filled *filled, struct port_arrival *out) {
    struct uring *uring = port->state;
    uint8_t *base = port_buffer(port, filled->buffer);
    struct io_uring_recvmsg_out *head =
        filled->length < 0 ? NULL
                           : io_uring_recvmsg_validate(base, filled->length, &uring->receive);
    if (!head) return 0;
    struct msghdr control = {.msg_control = base + sizeof *head + NAME_BYTES,
                             .msg_controllen = head->controllen};
    out->bytes = base + PORT_HEAD_BYTES;
    out->byte_count = io_uring_recvmsg_payload_length(head, filled->length, &uring->receive);
    out->segment_bytes = port_segment(&control);
    if (out->segment_bytes == 0 || out->segment_bytes > out->byte_count)
        out->segment_bytes = out->byte_count;
    out->truncated = (head->flags & MSG_TRUNC) != 0;
    address_read(io_uring_recvmsg_name(head), head->namelen, &out->source);
    return 1;
}

uint32_t uring_take(struct port *port, uint32_t max) {
    struct uring *uring = port->state;
    uint32_t count = 0;
    while (count < max && uring->filled_count > 0) {
        const struct filled *filled = &uring->filled[uring->filled_head];
        uring->filled_head = (uring->filled_head + 1) & (port->config.receive_buffers - 1);
        uring->filled_count--;
        if (read_arrival(port, filled, &port->held[count]))
            uring->held[count++] = filled->buffer;
        else
            uring_offer(port, &filled->buffer, 1);
    }
    return count;
}

void uring_release(struct port *port) {
    struct uring *uring = port->state;
    uring_offer(port, uring->held, port->held_count);
}

int uring_pause(struct port *port) {
    struct uring *uring = port->state;
    for (int tries = 0; uring->receiving && tries < 100; tries++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
        if (!sqe) return -EBUSY;
        io_uring_prep_cancel64(sqe, (uint64_t)KIND_RECEIVE << 32, 0);
        io_uring_sqe_set_data64(sqe, (uint64_t)KIND_CANCEL << 32);
        const int status = uring_submit(port);
        if (status < 0) return status;
        // Until the cancelled receive has said its last word.
        uring_enter(port, 1, 0, 10000000);
    }
    return uring->receiving ? -EBUSY : 0;
}
