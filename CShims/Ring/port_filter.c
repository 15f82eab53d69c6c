#include "port_private.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/udp.h>

// A socket filter sees the UDP header, too.
enum { HEADER = 8 };

// A program that keeps datagrams of listed lengths and drops the rest before it is copied. Where
// the kernel puts arrivals together, whatever is longer than the shortest listed one comes in: a
// train may have any length, even end in a stranger's datagram with a forged source, and its
// datagrams are looked at later.
int port_filter(int socket, const uint32_t *lengths, uint32_t count, int coalescing) {
    struct sock_filter program[PORT_LENGTHS + 4];
    uint16_t size = 0;
    if (count == 0) {
        const int none = 0;
        const int gone = setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
        return gone == 0 || errno == ENOENT ? 0 : -errno;
    }
    uint32_t shortest = lengths[0];
    for (uint32_t i = 1; i < count; i++)
        if (lengths[i] < shortest) shortest = lengths[i];
    // Jumps to the last instruction, which keeps all bytes.
    const uint8_t last = (uint8_t)(count + 1 + (coalescing ? 1 : 0));
    program[size++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0);
    for (uint32_t i = 0; i < count; i++, size++)
        program[size] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, lengths[i] + HEADER, (uint8_t)(last - size), 0);
    if (coalescing) {
        program[size] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JGT | BPF_K, shortest + HEADER, (uint8_t)(last - size), 0);
        size++;
    }
    program[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    program[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    const struct sock_fprog whole = {.len = size, .filter = program};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof whole) == 0 ? 0 : -errno;
}

int port_lets_in(const struct port *port, uint32_t byte_count) {
    const struct port_config *config = &port->config;
    for (uint32_t i = 0; i < config->lengths_count; i++)
        if (byte_count == config->lengths[i]) return 1;
    return config->lengths_count == 0;
}
