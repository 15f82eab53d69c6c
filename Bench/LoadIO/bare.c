#define _GNU_SOURCE
#include "cipher.h"
#include "wire.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

// Trains taken at once: with fewer, those that leave are shorter and cost 5 % more.
enum { TAKES = 32 };

struct out {
    struct sockaddr_in to;
    struct iovec part;
    uint8_t control[CMSG_SPACE(sizeof(uint16_t))] __attribute__((aligned(8)));
    uint32_t datagrams;
    uint8_t *train;
};

struct bare {
    int fd;
    struct bare_config config;
    struct cipher open, seal;
    uint32_t train_max, next;
    struct mmsghdr in[TAKES], send[BARE_OUTS_MAX];
    struct iovec in_parts[TAKES];
    uint8_t in_controls[TAKES][CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    struct out outs[BARE_OUTS_MAX];
    uint8_t *buffers;
    struct bare_report counts; // the forwarder's own
    _Atomic uint64_t shown[5]; // the same for other threads
    atomic_int stop, done;
};

static int open_ciphers(struct bare *bare) {
    const int status = cipher_make(&bare->open, bare->config.cipher, bare->config.key_in);
    return status < 0 ? status
                      : cipher_make(&bare->seal, bare->config.cipher, bare->config.key_out);
}

int bare_open(const struct bare_config *config, const struct load_address *outs,
              struct bare **out) {
    if (config->outs < 1 || config->outs > BARE_OUTS_MAX || config->datagram_bytes < 64 ||
        config->datagram_bytes > TRAIN_BYTES)
        return -EINVAL;
    struct bare *bare = calloc(1, sizeof *bare);
    if (!bare) return -ENOMEM;
    bare->config = *config;
    bare->train_max = TRAIN_BYTES / config->datagram_bytes;
    if (bare->train_max > LOAD_SEGMENTS_MAX) bare->train_max = LOAD_SEGMENTS_MAX;
    const size_t bytes = (size_t)(TAKES + config->outs) * BUFFER_BYTES;
    bare->buffers = aligned_alloc(4096, bytes);
    bare->fd = -1;
    int status = bare->buffers ? open_ciphers(bare) : -ENOMEM;
    if (status >= 0)
        status = bare->fd =
            wire_bind((struct load_address){INADDR_LOOPBACK, 0}, config->buffer_bytes);
    if (status < 0) {
        bare_close(bare);
        return status;
    }
    memset(bare->buffers, 0, bytes);
    for (uint32_t i = 0; i < config->outs; i++) {
        bare->outs[i].to = wire_name(outs[i]);
        bare->outs[i].train = bare->buffers + (size_t)(TAKES + i) * BUFFER_BYTES;
    }
    // So that bare_stop is seen when nothing comes.
    const struct timeval patience = {.tv_usec = 20000};
    setsockopt(bare->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    *out = bare;
    return 0;
}

void bare_close(struct bare *bare) {
    if (bare->fd >= 0) close(bare->fd);
    cipher_free(&bare->open);
    cipher_free(&bare->seal);
    free(bare->buffers);
    free(bare);
}

uint16_t bare_port(const struct bare *bare) { return wire_port(bare->fd); }

uint64_t bare_drops(const struct bare *bare) { return wire_drops(bare->fd); }

void bare_stop(struct bare *bare) { atomic_store(&bare->stop, 1); }

int bare_is_done(const struct bare *bare) { return atomic_load(&bare->done); }

void bare_read(const struct bare *bare, struct bare_report *out) {
    uint64_t *const fields = (uint64_t *)out;
    for (int i = 0; i < 5; i++)
        fields[i] = atomic_load_explicit(&bare->shown[i], memory_order_relaxed);
}

static void show(struct bare *bare) {
    const uint64_t *const fields = (const uint64_t *)&bare->counts;
    for (int i = 0; i < 5; i++)
        atomic_store_explicit(&bare->shown[i], fields[i], memory_order_relaxed);
}

static void make_nonce(uint8_t nonce[12], const uint8_t *head) {
    memset(nonce, 0, 4);
    memcpy(nonce + 4, head + 8, 8);
}

static void send_trains(struct bare *bare) {
    uint32_t counts[BARE_OUTS_MAX], count = 0;
    const uint16_t each = (uint16_t)bare->config.datagram_bytes;
    for (uint32_t i = 0; i < bare->config.outs; i++) {
        struct out *out = &bare->outs[i];
        if (out->datagrams == 0) continue;
        out->part = (struct iovec){out->train, (size_t)out->datagrams * each};
        struct msghdr *message = &bare->send[count].msg_hdr;
        *message = (struct msghdr){.msg_name = &out->to,
                                   .msg_namelen = sizeof out->to,
                                   .msg_iov = &out->part,
                                   .msg_iovlen = 1};
        if (out->datagrams > 1) {
            message->msg_control = out->control;
            message->msg_controllen = sizeof out->control;
            struct cmsghdr *c = CMSG_FIRSTHDR(message);
            c->cmsg_level = IPPROTO_UDP;
            c->cmsg_type = UDP_SEGMENT;
            c->cmsg_len = CMSG_LEN(sizeof each);
            memcpy(CMSG_DATA(c), &each, sizeof each);
        }
        counts[count++] = out->datagrams;
        bare->counts.forwarded += out->datagrams;
        out->datagrams = 0;
    }
    const uint64_t refused = wire_send(bare->fd, bare->send, counts, count, &bare->counts.calls);
    bare->counts.refused += refused;
    bare->counts.forwarded -= refused;
}

// Opens a datagram into the next destination's train and seals it there.
static void forward(struct bare *bare, const uint8_t *datagram, uint32_t bytes) {
    struct out *out = &bare->outs[bare->next];
    if (out->datagrams == bare->train_max) send_trains(bare);
    uint8_t *place = out->train + (size_t)out->datagrams * bare->config.datagram_bytes;
    uint8_t nonce[12];
    bare->counts.received++;
    if (bytes != bare->config.datagram_bytes || datagram[0] != 4) {
        bare->counts.forged++;
        return;
    }
    make_nonce(nonce, datagram);
    const size_t sealed = bytes - BARE_HEAD_BYTES;
    uint8_t *const text = place + BARE_HEAD_BYTES;
    if (!bare->open.open(&bare->open, text, datagram + BARE_HEAD_BYTES, sealed, nonce)) {
        bare->counts.forged++;
        return;
    }
    const uint32_t index = bare->next;
    memcpy(place, datagram, BARE_HEAD_BYTES);
    memcpy(place + 4, &index, sizeof index);
    bare->seal.seal(&bare->seal, text, text, sealed - BARE_TAG_BYTES, nonce);
    out->datagrams++;
    bare->next = bare->next + 1 == bare->config.outs ? 0 : bare->next + 1;
}

static int take(struct bare *bare) {
    for (int i = 0; i < TAKES; i++) {
        bare->in_parts[i] = (struct iovec){bare->buffers + (size_t)i * BUFFER_BYTES, BUFFER_BYTES};
        bare->in[i].msg_hdr = (struct msghdr){.msg_iov = &bare->in_parts[i],
                                              .msg_iovlen = 1,
                                              .msg_control = bare->in_controls[i],
                                              .msg_controllen = sizeof bare->in_controls[i]};
    }
    bare->counts.calls++;
    const int count = recvmmsg(bare->fd, bare->in, TAKES, MSG_WAITFORONE, NULL);
    if (count >= 0) return count;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static int run(struct bare *bare, uint64_t datagrams) {
    while (bare->counts.received < datagrams && !atomic_load(&bare->stop)) {
        const int count = take(bare);
        if (count < 0) return count;
        for (int i = 0; i < count; i++) {
            const uint8_t *const bytes = bare->in_parts[i].iov_base;
            const uint32_t all = bare->in[i].msg_len;
            const uint32_t segment = wire_segment(&bare->in[i].msg_hdr);
            const uint32_t each = segment ? segment : all;
            uint32_t at = 0;
            do {
                const uint32_t left = all - at;
                forward(bare, bytes + at, left < each ? left : each);
                at += each;
            } while (at < all);
        }
        if (count > 0) send_trains(bare);
        show(bare);
    }
    return 0;
}

int bare_run(struct bare *bare, uint64_t datagrams) {
    const int status = run(bare, datagrams);
    atomic_store(&bare->done, 1);
    return status;
}

int bare_seal(enum bare_cipher kind, const uint8_t *key, uint32_t index, uint64_t counter,
              uint8_t *bytes, uint32_t datagram_bytes) {
    struct cipher cipher;
    const int status = cipher_make(&cipher, kind, key);
    if (status < 0) return status;
    uint8_t nonce[12];
    memset(bytes, 0, BARE_HEAD_BYTES);
    bytes[0] = 4;
    memcpy(bytes + 4, &index, sizeof index);
    memcpy(bytes + 8, &counter, sizeof counter);
    make_nonce(nonce, bytes);
    uint8_t *const text = bytes + BARE_HEAD_BYTES;
    const size_t length = datagram_bytes - BARE_HEAD_BYTES - BARE_TAG_BYTES;
    const int sealed = cipher.seal(&cipher, text, text, length, nonce);
    cipher_free(&cipher);
    return sealed ? 0 : -EBADMSG;
}

int bare_check(enum bare_cipher kind, const uint8_t *key, uint8_t *bytes, uint32_t datagram_bytes) {
    struct cipher cipher;
    const int status = cipher_make(&cipher, kind, key);
    if (status < 0) return status;
    uint8_t nonce[12];
    make_nonce(nonce, bytes);
    uint8_t *const text = bytes + BARE_HEAD_BYTES;
    const int opened = cipher.open(&cipher, text, text, datagram_bytes - BARE_HEAD_BYTES, nonce);
    cipher_free(&cipher);
    return opened ? 0 : -EBADMSG;
}
