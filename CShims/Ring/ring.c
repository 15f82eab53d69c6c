#define _GNU_SOURCE
#include "ring.h"
#include "address.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

// What liburing 2.3 does not name yet.
#define FEAT_MIN_TIMEOUT (1u << 15)

enum { KIND_RECEIVE = 1, KIND_WAKE = 2, KIND_SEND = 3 };
enum { NAME_BYTES = 32, CONTROL_BYTES = 80, GROUP = 0 };
_Static_assert(sizeof(struct io_uring_recvmsg_out) + NAME_BYTES + CONTROL_BYTES == RING_HEAD_BYTES,
               "the datagram follows the head");

struct send {
    struct msghdr message;
    struct iovec vector;
    struct sockaddr_storage name;
};

struct ring {
    struct io_uring uring;
    struct ring_config config;
    struct io_uring_buf_ring *buffers;
    struct msghdr receive; // lengths of name and control data for the multishot receive
    struct send *sends;
    uint32_t queued;  // sends since the last submit
    uint32_t offered; // slots with the kernel
    int socket, family, wake;
    int receiving, watching; // the multishot receive, the poll of `wake`
    struct ring_stats stats;
};

static int set_up(struct ring *ring) {
    // All of it is there from Linux 6.1 on; DEFER_TASKRUN and SINGLE_ISSUER are only faster.
    static const unsigned wishes[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_SINGLE_ISSUER, 0};
    int status = -EINVAL;
    for (size_t i = 0; i < 3 && status == -EINVAL; i++) {
        struct io_uring_params params = {0};
        params.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                       IORING_SETUP_CLAMP | wishes[i];
        // A completion for each buffer and each failed send: the queue cannot overflow.
        params.cq_entries = 2 * (ring->config.buffers + ring->config.sends);
        status = io_uring_queue_init_params(ring->config.sends + 8, &ring->uring, &params);
    }
    return status;
}

static int register_buffers(struct ring *ring) {
    const size_t bytes = ring->config.buffers * sizeof(struct io_uring_buf);
    void *memory = NULL;
    if (posix_memalign(&memory, 4096, bytes) != 0) return -ENOMEM;
    ring->buffers = memory;
    struct io_uring_buf_reg registration = {.ring_addr = (uint64_t)(uintptr_t)memory,
                                            .ring_entries = ring->config.buffers,
                                            .bgid = GROUP};
    const int status = io_uring_register_buf_ring(&ring->uring, &registration, 0);
    if (status < 0) return status;
    io_uring_buf_ring_init(ring->buffers);
    return 0;
}

int ring_open(const struct ring_config *config, struct ring **out) {
    struct ring *ring = calloc(1, sizeof *ring);
    if (!ring) return -ENOMEM;
    ring->config = *config;
    ring->receive.msg_namelen = NAME_BYTES;
    ring->receive.msg_controllen = CONTROL_BYTES;
    ring->uring.ring_fd = ring->socket = ring->wake = -1;
    int status = set_up(ring);
    if (status < 0) {
        free(ring);
        return status;
    }
    status = register_buffers(ring);
    ring->sends = calloc(config->sends, sizeof *ring->sends);
    ring->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (status >= 0 && (!ring->sends || ring->wake < 0)) status = -ENOMEM;
    if (status < 0) {
        ring_close(ring);
        return status;
    }
    *out = ring;
    return 0;
}

void ring_close(struct ring *ring) {
    // Without this the kernel keeps the socket, and its port, for some milliseconds.
    struct io_uring_sync_cancel_reg all = {
        .fd = -1, .flags = IORING_ASYNC_CANCEL_ANY, .timeout = {.tv_sec = -1, .tv_nsec = -1}};
    if (ring->receiving && io_uring_register_sync_cancel(&ring->uring, &all) >= 0)
        io_uring_get_events(&ring->uring);
    io_uring_queue_exit(&ring->uring);
    if (ring->wake >= 0) close(ring->wake);
    free(ring->buffers);
    free(ring->sends);
    free(ring);
}

int ring_start(struct ring *ring, int socket) {
    struct datagram_address at;
    int status = socket_address(socket, &at);
    if (status < 0) return status;
    socklen_t length = sizeof ring->family;
    if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &ring->family, &length) != 0) return -errno;
    ring->socket = socket;
    // io_uring_enable_rings is declared by liburing 2.3 but not exported.
    status =
        io_uring_register((unsigned)ring->uring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    if (status < 0) return status;
    (void)io_uring_register_ring_fd(&ring->uring); // saves a look-up; not needed
    return 0;
}

void ring_wake(struct ring *ring) {
    const uint64_t one = 1;
    (void)!write(ring->wake, &one, sizeof one);
}

static uint8_t *slot_base(const struct ring *ring, uint32_t slot) {
    return (uint8_t *)ring->config.slab + (uint64_t)slot * ring->config.stride;
}

uint32_t ring_offer(struct ring *ring, const uint32_t *slots, uint32_t count) {
    const uint32_t room = ring->config.buffers - ring->offered;
    const uint32_t taken = count < room ? count : room;
    const int mask = io_uring_buf_ring_mask(ring->config.buffers);
    for (uint32_t i = 0; i < taken; i++)
        io_uring_buf_ring_add(ring->buffers,
                              slot_base(ring, slots[i]),
                              ring->config.buffer_bytes,
                              (unsigned short)slots[i],
                              mask,
                              (int)i);
    io_uring_buf_ring_advance(ring->buffers, (int)taken);
    ring->offered += taken;
    return taken;
}

uint32_t ring_offered(const struct ring *ring) { return ring->offered; }

static void arm(struct ring *ring) {
    // Armed again at once an empty buffer ring would end it again: wait for a quarter.
    if (!ring->receiving && ring->offered * 4 >= ring->config.buffers) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
        if (!sqe) return;
        // MSG_TRUNC: the length is the datagram's, even if the slot is shorter.
        io_uring_prep_recvmsg_multishot(sqe, ring->socket, &ring->receive, MSG_TRUNC);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = GROUP;
        io_uring_sqe_set_data64(sqe, (uint64_t)KIND_RECEIVE << 32);
        ring->receiving = 1;
        ring->stats.armed++;
    }
    if (!ring->watching) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
        if (!sqe) return;
        io_uring_prep_poll_multishot(sqe, ring->wake, POLLIN);
        io_uring_sqe_set_data64(sqe, (uint64_t)KIND_WAKE << 32);
        ring->watching = 1;
    }
}

int ring_submit(struct ring *ring) {
    ring->queued = 0;
    // A send completes while it is submitted (MSG_DONTWAIT); an interrupted call leaves entries.
    for (int tries = 0; io_uring_sq_ready(&ring->uring) > 0; tries++) {
        const int status = io_uring_submit(&ring->uring);
        ring->stats.enters++;
        if (status >= 0 || status == -EINTR) continue;
        if ((status == -EBUSY || status == -EAGAIN) && tries < 16) {
            io_uring_get_events(&ring->uring);
            continue;
        }
        return status;
    }
    return 0;
}

int ring_wait(struct ring *ring, uint32_t want, uint64_t batch_nanos, uint64_t timeout_nanos) {
    arm(ring);
    int status = ring_submit(ring);
    if (status < 0) return status;
    if (timeout_nanos == 0 || io_uring_cq_ready(&ring->uring) > 0) want = 0;
    struct __kernel_timespec until = {.tv_sec = (int64_t)(timeout_nanos / 1000000000u),
                                      .tv_nsec = (int64_t)(timeout_nanos % 1000000000u)};
    struct io_uring_getevents_arg argument = {.ts = want ? (uint64_t)(uintptr_t)&until : 0};
    // `pad` is the batch time in later headers.
    if (want && (ring->uring.features & FEAT_MIN_TIMEOUT))
        argument.pad = (uint32_t)(batch_nanos / 1000);
    else if (want)
        want = 1;
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    if (ring->uring.enter_ring_fd != ring->uring.ring_fd) flags |= IORING_ENTER_REGISTERED_RING;
    ring->stats.enters++;
    status = io_uring_enter2((unsigned)ring->uring.enter_ring_fd,
                             0,
                             want,
                             flags,
                             (sigset_t *)(void *)&argument,
                             sizeof argument);
    // The caller goes round again after a signal, a full completion queue, and a timeout.
    if (status == -ETIME || status == -EINTR || status == -EBUSY || status == -EAGAIN) return 0;
    return status < 0 ? status : 0;
}

// Reads one completion of the receive. Returns 1 if it was a datagram.
static int take_receive(struct ring *ring, const struct io_uring_cqe *cqe,
                        struct ring_datagram *out) {
    if (!(cqe->flags & IORING_CQE_F_MORE)) ring->receiving = 0;
    if (cqe->res == -ENOBUFS)
        ring->stats.dry++;
    else if (cqe->res < 0)
        ring->stats.receive_errors++;
    if (!(cqe->flags & IORING_CQE_F_BUFFER)) return 0;
    const uint32_t slot = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    ring->offered--;
    struct io_uring_recvmsg_out *head =
        cqe->res < 0 ? NULL
                     : io_uring_recvmsg_validate(slot_base(ring, slot), cqe->res, &ring->receive);
    if (!head) {
        ring_offer(ring, &slot, 1);
        return 0;
    }
    out->slot = slot;
    out->byte_count = head->payloadlen;
    out->truncated = (head->flags & MSG_TRUNC) != 0;
    address_read(io_uring_recvmsg_name(head), head->namelen, &out->source);
    return 1;
}

static void take_wake(struct ring *ring, const struct io_uring_cqe *cqe) {
    if (!(cqe->flags & IORING_CQE_F_MORE)) ring->watching = 0;
    uint64_t count;
    (void)!read(ring->wake, &count, sizeof count);
    ring->stats.wakes++;
}

uint32_t ring_take(struct ring *ring, struct ring_datagram *out, uint32_t max) {
    uint32_t count = 0, seen = 0;
    unsigned head;
    struct io_uring_cqe *cqe;
    io_uring_for_each_cqe(&ring->uring, head, cqe) {
        if (count == max) break;
        seen++;
        switch (io_uring_cqe_get_data64(cqe) >> 32) {
        case KIND_RECEIVE:
            count += (uint32_t)take_receive(ring, cqe, &out[count]);
            break;
        case KIND_WAKE:
            take_wake(ring, cqe);
            break;
        case KIND_SEND:
            ring->stats.send_errors++;
            break;
        }
    }
    io_uring_cq_advance(&ring->uring, seen);
    return count;
}

int ring_send(struct ring *ring, uint32_t slot, uint32_t offset, uint32_t byte_count,
              const struct datagram_address *to) {
    if (ring->queued == ring->config.sends) return -EBUSY;
    struct send *send = &ring->sends[ring->queued];
    const socklen_t length = address_write(to, ring->family, &send->name);
    if (length == 0) return -EAFNOSUPPORT;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    if (!sqe) return -EBUSY;
    send->vector = (struct iovec){slot_base(ring, slot) + offset, byte_count};
    send->message = (struct msghdr){
        .msg_name = &send->name, .msg_namelen = length, .msg_iov = &send->vector, .msg_iovlen = 1};
    io_uring_prep_sendmsg(sqe, ring->socket, &send->message, MSG_DONTWAIT | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, (uint64_t)KIND_SEND << 32 | slot);
    ring->queued++;
    return 0;
}

void ring_read_stats(const struct ring *ring, struct ring_stats *out) { *out = ring->stats; }
