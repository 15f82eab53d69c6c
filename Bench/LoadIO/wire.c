#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int wire_bind(struct load_address at, uint32_t buffer_bytes) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    const int size = (int)buffer_bytes, on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    const struct sockaddr_in name = wire_name(at);
    if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&name, sizeof name) != 0) {
        const int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

uint16_t wire_port(int fd) {
    struct sockaddr_in name = {0};
    socklen_t length = sizeof name;
    getsockname(fd, (struct sockaddr *)&name, &length);
    return ntohs(name.sin_port);
}

uint64_t wire_drops(int fd) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof info;
    getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length);
    return info[SK_MEMINFO_DROPS];
}

struct sockaddr_in wire_name(struct load_address at) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(at.port), .sin_addr.s_addr = htonl(at.ip)};
}

struct load_address wire_address(const struct sockaddr_in *name) {
    return (struct load_address){ntohl(name->sin_addr.s_addr), ntohs(name->sin_port)};
}

uint32_t wire_segment(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO) continue;
        int bytes;
        memcpy(&bytes, CMSG_DATA(c), sizeof bytes);
        return (uint32_t)bytes;
    }
    return 0;
}

uint64_t wire_send(int fd, struct mmsghdr *messages, const uint32_t *counts, uint32_t count,
                   uint64_t *calls) {
    uint64_t refused = 0;
    for (uint32_t done = 0, tries = 0; done < count;) {
        ++*calls;
        const int sent = sendmmsg(fd, messages + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            done += (uint32_t)sent;
            tries = 0;
        } else if (errno == EINTR) {
            continue;
        } else if ((errno == EAGAIN || errno == ENOBUFS) && tries++ < 100) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            poll(&room, 1, 1);
            ++*calls;
        } else {
            refused += counts[done++];
            tries = 0;
        }
    }
    return refused;
}
