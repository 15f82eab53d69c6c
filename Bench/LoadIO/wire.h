#pragma once
#include "loadio.h"

#include <netinet/in.h>
#include <sys/socket.h>

// Most bytes of a train.
enum { TRAIN_BYTES = 65000, BUFFER_BYTES = 65536 };

// A UDP socket bound to an address, with buffers of that size and UDP_GRO.
int wire_bind(struct load_address at, uint32_t buffer_bytes);
uint16_t wire_port(int fd);
uint64_t wire_drops(int fd);
struct sockaddr_in wire_name(struct load_address at);
struct load_address wire_address(const struct sockaddr_in *name);
// The segment size that came with a message; 0 if it is one datagram.
uint32_t wire_segment(struct msghdr *message);
// Sends messages, waiting a moment for room. Returns how many of `counts`, datagrams of each, the
// kernel did not take; adds its system calls to `calls`.
uint64_t wire_send(int fd, struct mmsghdr *messages, const uint32_t *counts, uint32_t count,
                   uint64_t *calls);
