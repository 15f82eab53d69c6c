#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Control data of a message that leaves: where it comes from and how long its segments are; and of
// one that comes: where it went and the same.
enum {
    OUT_CONTROL = CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)),
    IN_CONTROL = CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))
};

struct train {
    struct sockaddr_in to;
    struct iovec parts[LOAD_SEGMENTS_MAX];
    uint8_t control[OUT_CONTROL] __attribute__((aligned(8)));
    uint32_t from_ip, each, bytes, pieces;
};

struct load_socket {
    int fd;
    uint32_t segments, trains;
    struct load_counts counts;
    struct mmsghdr out[LOAD_TRAINS_MAX];
    uint32_t datagrams[LOAD_TRAINS_MAX];
    struct train train[LOAD_TRAINS_MAX];
    struct mmsghdr in[LOAD_ARRIVALS_MAX];
    struct iovec in_parts[LOAD_ARRIVALS_MAX];
    struct sockaddr_in in_names[LOAD_ARRIVALS_MAX];
    uint8_t in_controls[LOAD_ARRIVALS_MAX][IN_CONTROL] __attribute__((aligned(8)));
    uint8_t *buffers;
};

int load_open(uint16_t port, uint32_t buffer_bytes, uint32_t segments, struct load_socket **out) {
    struct load_socket *s = calloc(1, sizeof *s);
    if (!s) return -ENOMEM;
    s->segments = segments < 1 ? 1 : segments > LOAD_SEGMENTS_MAX ? LOAD_SEGMENTS_MAX : segments;
    s->buffers = aligned_alloc(4096, (size_t)LOAD_ARRIVALS_MAX * BUFFER_BYTES);
    s->fd = s->buffers ? wire_bind((struct load_address){INADDR_ANY, port}, buffer_bytes) : -ENOMEM;
    const int on = 1;
    int status = s->fd;
    if (s->fd >= 0 && setsockopt(s->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) != 0)
        status = -errno;
    if (status < 0) {
        load_close(s);
        return status;
    }
    // Touched now, so that no fault comes while something is measured.
    memset(s->buffers, 0, (size_t)LOAD_ARRIVALS_MAX * BUFFER_BYTES);
    *out = s;
    return 0;
}

void load_close(struct load_socket *s) {
    if (s->fd >= 0) close(s->fd);
    free(s->buffers);
    free(s);
}

uint16_t load_port(const struct load_socket *s) { return wire_port(s->fd); }

uint64_t load_drops(const struct load_socket *s) { return wire_drops(s->fd); }

void load_read(const struct load_socket *s, struct load_counts *out) { *out = s->counts; }

static int joins(const struct load_socket *s, const struct train *train, uint32_t parts,
                 uint32_t from_ip, const struct sockaddr_in *to, uint32_t bytes) {
    // A train that came whole has fewer pieces than datagrams.
    return parts < s->segments && train->pieces == parts && train->each == bytes && train->bytes + bytes <= TRAIN_BYTES &&
           train->from_ip == from_ip && train->to.sin_port == to->sin_port &&
           train->to.sin_addr.s_addr == to->sin_addr.s_addr;
}

static struct train *begin_train(struct load_socket *s, uint32_t from_ip,
                                 const struct sockaddr_in *to, uint32_t each) {
    if (s->trains == LOAD_TRAINS_MAX) load_flush(s);
    const uint32_t last = s->trains++;
    struct train *train = &s->train[last];
    s->datagrams[last] = 0;
    train->to = *to;
    train->from_ip = from_ip;
    train->each = each;
    train->bytes = 0;
    train->pieces = 0;
    return train;
}

static void add_piece(struct train *train, const void *bytes, uint32_t byte_count) {
    train->parts[train->pieces++] = (struct iovec){(void *)(uintptr_t)bytes, byte_count};
    train->bytes += byte_count;
}

void load_put(struct load_socket *s, uint32_t from_ip, struct load_address to, const void *bytes,
              uint32_t byte_count) {
    const struct sockaddr_in name = wire_name(to);
    uint32_t last = s->trains - 1;
    if (s->trains == 0 ||
        !joins(s, &s->train[last], s->datagrams[last], from_ip, &name, byte_count)) {
        begin_train(s, from_ip, &name, byte_count);
        last = s->trains - 1;
    }
    add_piece(&s->train[last], bytes, byte_count);
    s->datagrams[last]++;
}

void load_put_train(struct load_socket *s, uint32_t from_ip, struct load_address to,
                    const void *bytes, uint32_t byte_count, uint32_t segment_bytes) {
    const struct sockaddr_in name = wire_name(to);
    add_piece(begin_train(s, from_ip, &name, segment_bytes), bytes, byte_count);
    s->datagrams[s->trains - 1] = (byte_count + segment_bytes - 1) / segment_bytes;
}

// Writes the head and the control data of a train that is about to leave.
static void address_train(struct msghdr *message, struct train *train, uint32_t datagrams) {
    *message = (struct msghdr){.msg_name = &train->to,
                               .msg_namelen = sizeof train->to,
                               .msg_iov = train->parts,
                               .msg_iovlen = train->pieces,
                               .msg_control = train->control,
                               .msg_controllen = sizeof train->control};
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    const struct in_pktinfo from = {.ipi_spec_dst.s_addr = htonl(train->from_ip)};
    memcpy(CMSG_DATA(c), &from, sizeof from);
    if (datagrams == 1) {
        message->msg_controllen = CMSG_SPACE(sizeof from);
        return;
    }
    c = CMSG_NXTHDR(message, c);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const uint16_t each = (uint16_t)train->each;
    memcpy(CMSG_DATA(c), &each, sizeof each);
}

void load_flush(struct load_socket *s) {
    if (s->trains == 0) return;
    uint64_t datagrams = 0;
    for (uint32_t i = 0; i < s->trains; i++) {
        address_train(&s->out[i].msg_hdr, &s->train[i], s->datagrams[i]);
        datagrams += s->datagrams[i];
    }
    const uint64_t refused = wire_send(s->fd, s->out, s->datagrams, s->trains, &s->counts.calls);
    s->counts.sent += datagrams - refused;
    s->counts.refused += refused;
    s->trains = 0;
}

static void read_control(struct msghdr *message, struct load_arrival *out) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO) continue;
        struct in_pktinfo to;
        memcpy(&to, CMSG_DATA(c), sizeof to);
        out->to_ip = ntohl(to.ipi_addr.s_addr);
    }
    const uint32_t segment = wire_segment(message);
    out->segment_bytes = segment != 0 ? segment : out->byte_count;
}

int load_take(struct load_socket *s, struct load_arrival *out, uint32_t max) {
    const uint32_t most = max < LOAD_ARRIVALS_MAX ? max : LOAD_ARRIVALS_MAX;
    for (uint32_t i = 0; i < most; i++) {
        s->in_parts[i] = (struct iovec){s->buffers + (size_t)i * BUFFER_BYTES, BUFFER_BYTES};
        s->in[i].msg_hdr = (struct msghdr){.msg_name = &s->in_names[i],
                                           .msg_namelen = sizeof s->in_names[i],
                                           .msg_iov = &s->in_parts[i],
                                           .msg_iovlen = 1,
                                           .msg_control = s->in_controls[i],
                                           .msg_controllen = sizeof s->in_controls[i]};
    }
    s->counts.calls++;
    const int count = recvmmsg(s->fd, s->in, most, MSG_DONTWAIT, NULL);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        out[i] = (struct load_arrival){.bytes = s->in_parts[i].iov_base,
                                       .byte_count = s->in[i].msg_len,
                                       .from = wire_address(&s->in_names[i])};
        read_control(&s->in[i].msg_hdr, &out[i]);
        const uint32_t each = out[i].segment_bytes;
        s->counts.received += each ? (out[i].byte_count + each - 1) / each : 1;
    }
    return count;
}
