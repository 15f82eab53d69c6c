#pragma once

#include <stdint.h>

// UDP sockets. Every function returns >= 0, or -errno.

// A UDP address: family 4 or 6, port in host order, address in network order. IPv4 uses four bytes;
// the rest is zero. IPv4 inside IPv6 is given as IPv4.
struct datagram_address {
    uint8_t family;
    uint8_t zero;
    uint16_t port;
    uint8_t bytes[16];
};

// A UDP socket bound to an address, not blocking, that never fragments. `shared` lets other sockets
// of the same port in (SO_REUSEPORT). Buffer sizes are best effort. Returns the descriptor.
int socket_open(const struct datagram_address *_Nonnull at, int shared, uint32_t buffer_bytes);
// The address a socket is bound to.
int socket_address(int socket, struct datagram_address *_Nonnull out);
// Makes a descriptor from elsewhere ready: -EPROTOTYPE if it is no UDP socket.
int socket_adopt(int socket);
// Another descriptor of the same socket.
int socket_duplicate(int socket);
// Sends a datagram now or not at all.
int socket_send(int socket, const void *_Nonnull bytes, uint32_t byte_count,
                const struct datagram_address *_Nonnull to);
// Bytes of payload that the path to an address takes without being cut, as far as the kernel knows.
// `from`: the sender's address, of the interface or of none in particular.
int socket_path_bytes(const struct datagram_address *_Nonnull from,
                      const struct datagram_address *_Nonnull to);
// Datagrams that the kernel dropped: the socket's buffer was full, or a filter refused them.
int64_t socket_drops(int socket);
void socket_close(int socket);
