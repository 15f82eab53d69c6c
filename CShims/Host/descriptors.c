#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(HOST_DESCRIPTORS * sizeof(int))];
};

int host_send_descriptors(int socket, const void *bytes, size_t byte_count, const int *descriptors,
                          size_t count) {
    if (byte_count == 0 || count > HOST_DESCRIPTORS) return -EMSGSIZE;
    union control control = {0};
    struct iovec vector = {(void *)bytes, byte_count};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.head), descriptors, count * sizeof(int));
    }
    // The descriptors go with the first byte; a stream may take the rest in pieces.
    while (vector.iov_len > 0) {
        const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return -errno;
        vector.iov_base = (char *)vector.iov_base + sent;
        vector.iov_len -= (size_t)sent;
        message.msg_control = NULL;
        message.msg_controllen = 0;
    }
    return 0;
}

// Takes the descriptors of a message; those beyond `room` are closed. Returns how many there were.
static size_t take(struct msghdr *message, int *descriptors, size_t room) {
    size_t count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++, count++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(c) + i * sizeof(int), sizeof descriptor);
            if (count < room)
                descriptors[count] = descriptor;
            else
                close(descriptor);
        }
    }
    return count;
}

int host_receive_descriptors(int socket, void *bytes, size_t room, int *descriptors,
                             size_t *count) {
    union control control = {0};
    struct iovec vector = {bytes, room};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got;
    do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    const size_t room_for = *count, sent = take(&message, descriptors, room_for);
    if (sent > room_for || (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC))) {
        for (size_t i = 0; i < sent && i < room_for; i++) close(descriptors[i]);
        *count = 0;
        return -EMSGSIZE;
    }
    *count = sent;
    return (int)got;
}
