#pragma once

#include <stdint.h>

#include "socket.h"

// A network in memory with a clock of its own, for tests: the same calls in the same order give the
// same datagrams at the same times. One thread uses it and all its ports.

struct simulated_network;

struct simulated_wire {
    int by_hand;           // 1: what is sent stays in the outbox for simulated_next
    uint32_t loss, copies; // of a million datagrams: lost, sent twice
    uint64_t delay_nanos;  // least time under way
    uint64_t jitter_nanos; // most time more, so that datagrams overtake each other
    uint32_t longest;      // a send of a longer datagram fails (EMSGSIZE); 0: none is too long
    uint32_t inbox;        // datagrams that an address keeps; more are dropped
    int coalescing;        // runs of one size arrive together, where the port wants that
    int waits;             // 1: a wait moves the clock
    int cuts_trains;       // 1: of a train only the first datagram gets through
};

struct simulated_counts {
    uint64_t sent;      // by ports, copies included
    uint64_t lost;      // on the wire
    uint64_t nowhere;   // no port has the address
    uint64_t full;      // the inbox was full
    uint64_t filtered;  // of a length that does not come in
    uint64_t delivered; // to an inbox
};

// A datagram of the outbox.
struct simulated_datagram {
    struct datagram_address from, to;
    uint32_t byte_count;
    const uint8_t *_Nullable bytes; // until the next one is taken
};

int simulated_open(uint64_t seed, uint64_t nanos,
                   struct simulated_network *_Nullable *_Nonnull out);
// After all its ports.
void simulated_close(struct simulated_network *_Nonnull network);
void simulated_set_wire(struct simulated_network *_Nonnull network,
                        const struct simulated_wire *_Nonnull wire);
uint64_t simulated_nanos(const struct simulated_network *_Nonnull network);
// Moves the clock on, and delivers what arrives until then.
void simulated_advance(struct simulated_network *_Nonnull network, uint64_t nanos);
// Takes the oldest datagram out of the outbox: 1, or 0 if there is none.
int simulated_next(struct simulated_network *_Nonnull network,
                   struct simulated_datagram *_Nonnull out);
// Puts a datagram under way; it arrives after `delay_nanos`.
int simulated_deliver(struct simulated_network *_Nonnull network,
                      const struct datagram_address *_Nonnull from,
                      const struct datagram_address *_Nonnull to, const uint8_t *_Nullable bytes,
                      uint32_t byte_count, uint64_t delay_nanos);
// Sends a datagram as a port does: lost, doubled, delayed, or into the outbox.
int simulated_carry(struct simulated_network *_Nonnull network,
                    const struct datagram_address *_Nonnull from,
                    const struct datagram_address *_Nonnull to, const uint8_t *_Nullable bytes,
                    uint32_t byte_count);
// The next `sends` sends of a port fail with `status`; with `trains`, only those of trains count.
void simulated_fail(struct simulated_network *_Nonnull network,
                    const struct datagram_address *_Nonnull port, int status, uint32_t sends,
                    int trains);
void simulated_read_counts(const struct simulated_network *_Nonnull network,
                           struct simulated_counts *_Nonnull out);
