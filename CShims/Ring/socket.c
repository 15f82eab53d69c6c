#define _GNU_SOURCE
#include "socket.h"
#include "address.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

socklen_t address_write(const struct datagram_address *a, int family,
                        struct sockaddr_storage *out) {
    memset(out, 0, sizeof *out);
    if (a->family == 4 && family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->bytes, 4);
        return sizeof *in;
    }
    if (family != AF_INET6) return 0;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    if (a->family == 4) {
        in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
        memcpy(in6->sin6_addr.s6_addr + 12, a->bytes, 4);
    } else {
        memcpy(&in6->sin6_addr, a->bytes, 16);
    }
    return sizeof *in6;
}

void address_read(const void *name, socklen_t length, struct datagram_address *out) {
    memset(out, 0, sizeof *out);
    const struct sockaddr_in *in = name;
    const struct sockaddr_in6 *in6 = name;
    if (length >= sizeof *in && in->sin_family == AF_INET) {
        out->family = 4;
        out->port = ntohs(in->sin_port);
        memcpy(out->bytes, &in->sin_addr, 4);
    } else if (length >= sizeof *in6 && in6->sin6_family == AF_INET6) {
        const int mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
        out->family = mapped ? 4 : 6;
        out->port = ntohs(in6->sin6_port);
        memcpy(out->bytes, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    }
}

static void set_buffers(int fd, uint32_t bytes) {
    int size = (int)bytes;
    if (size <= 0) return;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static int bind_socket(int fd, int family, const struct datagram_address *at, int shared) {
    const int on = 1, off = 0, whole = IP_PMTUDISC_DO, whole6 = IPV6_PMTUDISC_DO;
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return -errno;
    if (family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &whole6, sizeof whole6);
    }
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof whole);
    struct sockaddr_storage name;
    const socklen_t length = address_write(at, family, &name);
    return bind(fd, (struct sockaddr *)&name, length) == 0 ? 0 : -errno;
}

int socket_open(const struct datagram_address *at, int shared, uint32_t buffer_bytes) {
    const int family = at->family == 6 ? AF_INET6 : AF_INET;
    const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    const int bound = bind_socket(fd, family, at, shared);
    if (bound < 0) {
        close(fd);
        return bound;
    }
    set_buffers(fd, buffer_bytes);
    return fd;
}

int socket_address(int fd, struct datagram_address *out) {
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0) return -errno;
    address_read(&name, length, out);
    return 0;
}

int64_t socket_drops(int fd) {
    uint32_t info[16] = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) != 0) return -errno;
    return info[SK_MEMINFO_DROPS];
}

void socket_close(int fd) { close(fd); }

int socket_share(int fd) {
    const int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return other >= 0 ? other : -errno;
}

int socket_check(int fd) {
    int kind = 0;
    socklen_t length = sizeof kind;
    if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &kind, &length) != 0) return -errno;
    return kind == IPPROTO_UDP ? 0 : -EPROTOTYPE;
}
