#include "uring.h"

#include <errno.h>
#include <stdlib.h>

// The wishes in the order in which they are given up; each kernel has all that follow.
static int set_up(struct port *port, struct uring *uring) {
    static const struct {
        unsigned flags;
        uint32_t features;
    } wishes[] = {
        {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
             IORING_SETUP_CQSIZE,
         PORT_SINGLE_ISSUER | PORT_DEFER_TASKRUN | PORT_SIZED_QUEUE},
        {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE, PORT_SINGLE_ISSUER | PORT_SIZED_QUEUE},
        {IORING_SETUP_CQSIZE, PORT_SIZED_QUEUE},
        {0, 0},
    };
    const struct port_config *config = &port->config;
    int status = -EINVAL;
    for (size_t i = config->peeled; i < sizeof wishes / sizeof *wishes && status == -EINVAL; i++) {
        struct io_uring_params params = {0};
        params.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP |
                       wishes[i].flags;
        // A completion for each buffer and each send that fails: the queue cannot overflow.
        params.cq_entries =
            config->completions ? config->completions : 2 * (config->receive_buffers + MESSAGES);
        // No more sends are submitted at once than the smaller queue has places.
        const uint32_t entries = config->completions ? 16 : MESSAGES + 8;
        status = io_uring_queue_init_params(entries, &uring->ring, &params);
        if (status >= 0) port->features |= wishes[i].features;
    }
    return status;
}

static int can(struct uring *uring) {
    static const int needed[] = {IORING_OP_RECVMSG, IORING_OP_SENDMSG, IORING_OP_POLL_ADD};
    const unsigned features = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
    if ((uring->ring.features & features) != features) return 0;
    struct io_uring_probe *probe = io_uring_get_probe_ring(&uring->ring);
    if (!probe) return 0;
    int able = 1;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        able &= io_uring_opcode_supported(probe, needed[i]);
    io_uring_free_probe(probe);
    return able;
}

static int register_buffers(struct port *port, struct uring *uring) {
    const uint32_t count = port->config.receive_buffers;
    void *memory = NULL;
    if (posix_memalign(&memory, 4096, count * sizeof(struct io_uring_buf)) != 0) return -ENOMEM;
    uring->buffers = memory;
    struct io_uring_buf_reg registration = {
        .ring_addr = (uint64_t)(uintptr_t)memory, .ring_entries = count, .bgid = GROUP};
    const int status = io_uring_register_buf_ring(&uring->ring, &registration, 0);
    if (status < 0) return status;
    io_uring_buf_ring_init(uring->buffers);
    for (uint32_t i = 0; i < count; i++) uring_offer(port, &i, 1);
    return 0;
}

static void uring_close(struct port *port) {
    struct uring *uring = port->state;
    if (!uring) return;
    // Without this the kernel keeps the socket, and its port, for some milliseconds.
    struct io_uring_sync_cancel_reg all = {
        .fd = -1, .flags = IORING_ASYNC_CANCEL_ANY, .timeout = {.tv_sec = -1, .tv_nsec = -1}};
    if (uring->receiving && io_uring_register_sync_cancel(&uring->ring, &all) >= 0)
        io_uring_get_events(&uring->ring);
    if (uring->ring.ring_fd >= 0) io_uring_queue_exit(&uring->ring);
    free(uring->buffers);
    free(uring->filled);
    free(uring);
    port->state = NULL;
    port->features &= PORT_SEGMENTATION | PORT_COALESCING | PORT_LENGTH_FILTER;
}

static int uring_open(struct port *port) {
    struct uring *uring = calloc(1, sizeof *uring);
    if (!uring) return -ENOMEM;
    port->state = uring;
    uring->ring.ring_fd = -1;
    uring->receive.msg_namelen = NAME_BYTES;
    uring->receive.msg_controllen = CONTROL_BYTES;
    uring->filled = calloc(port->config.receive_buffers, sizeof *uring->filled);
    int status = uring->filled ? set_up(port, uring) : -ENOMEM;
    if (status < 0) uring->ring.ring_fd = -1;
    if (status >= 0 && !can(uring)) status = -EINVAL;
    if (status >= 0) status = register_buffers(port, uring);
    if (status < 0) {
        uring_close(port);
        return status;
    }
    if ((uring->ring.features & FEAT_MIN_TIMEOUT) && port->config.peeled == 0)
        port->features |= PORT_BATCH_WAIT;
    return 0;
}

static int uring_start(struct port *port) {
    struct uring *uring = port->state;
    int status = uring_enable(&uring->ring);
    if (status < 0) return status;
    // Saves a look-up for each call.
    if (io_uring_register_ring_fd(&uring->ring) == 1) port->features |= PORT_KNOWN_RING;
    // The receive is armed now, so that a kernel without it shows here.
    uring_arm(port);
    status = uring_submit(port);
    if (status >= 0) status = uring_enter(port, 0, 0, 0);
    return status < 0 ? status : uring->status;
}

const struct backend port_uring = {
    .kind = PORT_URING,
    .open = uring_open,
    .close = uring_close,
    .start = uring_start,
    .wait = uring_wait,
    .take = uring_take,
    .release = uring_release,
    .pause = uring_pause,
    .transmit = uring_transmit,
    .nanos = port_monotonic,
};
