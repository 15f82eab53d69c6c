#pragma once

#include "socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

// Writes an address for a socket of `family`; returns its length, 0 if that socket cannot reach it.
socklen_t address_write(const struct datagram_address *a, int family, struct sockaddr_storage *out);
// Reads the address of a sender; family 0 if it is neither IPv4 nor IPv6.
void address_read(const void *name, socklen_t length, struct datagram_address *out);
