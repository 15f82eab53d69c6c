#pragma once

#include "port_private.h"
#include "simulated.h"

// A datagram under way, or in an outbox or inbox.
struct flight {
    struct flight *next;
    uint64_t due, order;
    struct datagram_address from, to;
    uint32_t byte_count;
    uint8_t bytes[];
};

struct flights {
    struct flight *first, *last;
    uint32_t count;
};

// A port's place in the network.
struct simulated_place {
    struct simulated_place *next;
    struct simulated_network *network;
    struct port *port;
    struct flights inbox;
    int fault; // what the next `faults` sends fail with
    uint32_t faults;
    int faults_trains;
};

struct simulated_network {
    struct simulated_wire wire;
    struct simulated_counts counts;
    struct simulated_place *places;
    struct flights outbox;
    struct flight *shown; // the last one that simulated_next took
    struct flight **heap; // under way, the next to arrive first
    uint32_t under_way, room;
    uint64_t nanos, order, random;
};

void flights_add(struct flights *flights, struct flight *flight);
// The first one, out of the list; NULL if there is none.
struct flight *flights_take(struct flights *flights);
int address_equal(const struct datagram_address *a, const struct datagram_address *b);
// Moves the clock to the next arrival, at most to `until`.
void simulated_sleep(struct simulated_network *network, uint64_t until);
