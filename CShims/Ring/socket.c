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
    // Among ports that may be shared the kernel chooses one that is another's: it shall choose
    // first.
    const int shared_early = shared && at->port != 0;
    if (shared_early && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        return -errno;
    if (family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &whole6, sizeof whole6);
    }
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof whole);
    struct sockaddr_storage name;
    const socklen_t length = address_write(at, family, &name);
    if (bind(fd, (struct sockaddr *)&name, length) != 0) return -errno;
    const int shared_late = shared && at->port == 0;
    if (shared_late && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return -errno;
    return 0;
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

int socket_adopt(int fd) {
    int domain = 0, type = 0, protocol = 0;
    socklen_t length = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0)
        return -errno;
    if ((domain != AF_INET && domain != AF_INET6) || type != SOCK_DGRAM || protocol != IPPROTO_UDP)
        return -EPROTOTYPE;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return -errno;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : -errno;
}

int socket_duplicate(int fd) {
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -errno : copy;
}

int socket_send(int fd, const void *bytes, uint32_t byte_count, const struct datagram_address *to) {
    int family = 0;
    socklen_t length = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) != 0) return -errno;
    struct sockaddr_storage name;
    length = address_write(to, family, &name);
    if (length == 0) return -EAFNOSUPPORT;
    const ssize_t sent = sendto(
        fd, bytes, byte_count, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&name, length);
    return sent < 0 ? -errno : 0;
}

static int any(const struct datagram_address *a) {
    static const uint8_t zero[16];
    return memcmp(a->bytes, zero, sizeof zero) == 0;
}

static int ask_path(int fd, int family, const struct datagram_address *from,
                    const struct datagram_address *to) {
    struct sockaddr_storage name;
    socklen_t length;
    if (from->family == to->family && !any(from)) {
        struct datagram_address source = *from;
        source.port = 0;
        length = address_write(&source, family, &name);
        if (bind(fd, (struct sockaddr *)&name, length) != 0) return -errno;
    }
    // Nothing is sent: the kernel looks up the route.
    length = address_write(to, family, &name);
    if (connect(fd, (struct sockaddr *)&name, length) != 0) return -errno;
    const int six = family == AF_INET6;
    int bytes = 0;
    length = sizeof bytes;
    if (getsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &bytes, &length))
        return -errno;
    // Without the headers of IP and UDP; no datagram is longer than 65,535 bytes with them.
    const int headers = six ? 48 : 28, most = six ? 65527 : 65507;
    return bytes - headers < most ? bytes - headers : most;
}

int socket_path_bytes(const struct datagram_address *from, const struct datagram_address *to) {
    const int family = to->family == 6 ? AF_INET6 : AF_INET;
    const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    const int bytes = ask_path(fd, family, from, to);
    close(fd);
    return bytes;
}

int64_t socket_drops(int fd) {
    uint32_t info[16] = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) != 0) return -errno;
    return info[SK_MEMINFO_DROPS];
}

void socket_close(int fd) { close(fd); }
