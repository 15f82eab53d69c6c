#include "simulated_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int simulated_open(uint64_t seed, uint64_t nanos, struct simulated_network **out) {
    struct simulated_network *network = calloc(1, sizeof *network);
    if (!network) return -ENOMEM;
    network->random = seed;
    network->nanos = nanos;
    *out = network;
    return 0;
}

void flights_add(struct flights *flights, struct flight *flight) {
    flight->next = NULL;
    if (flights->last)
        flights->last->next = flight;
    else
        flights->first = flight;
    flights->last = flight;
    flights->count++;
}

struct flight *flights_take(struct flights *flights) {
    struct flight *flight = flights->first;
    if (!flight) return NULL;
    flights->first = flight->next;
    if (!flights->first) flights->last = NULL;
    flights->count--;
    return flight;
}

void simulated_close(struct simulated_network *network) {
    struct flight *flight;
    while ((flight = flights_take(&network->outbox))) free(flight);
    for (uint32_t i = 0; i < network->under_way; i++) free(network->heap[i]);
    free(network->shown);
    free(network->heap);
    free(network);
}

int address_equal(const struct datagram_address *a, const struct datagram_address *b) {
    return a->family == b->family && a->port == b->port && memcmp(a->bytes, b->bytes, 16) == 0;
}

// SplitMix64.
static uint64_t draw(struct simulated_network *network) {
    uint64_t z = network->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int happens(struct simulated_network *network, uint32_t per_million) {
    return per_million > 0 && draw(network) % 1000000 < per_million;
}

static struct flight *make(const struct datagram_address *from, const struct datagram_address *to,
                           const uint8_t *bytes, uint32_t byte_count) {
    struct flight *flight = calloc(1, sizeof *flight + byte_count);
    if (!flight) return NULL;
    flight->from = *from;
    flight->to = *to;
    flight->byte_count = byte_count;
    if (byte_count > 0) memcpy(flight->bytes, bytes, byte_count);
    return flight;
}

static int before(const struct flight *a, const struct flight *b) {
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void swap(struct flight **heap, uint32_t a, uint32_t b) {
    struct flight *kept = heap[a];
    heap[a] = heap[b];
    heap[b] = kept;
}

static int start_flight(struct simulated_network *network, struct flight *flight, uint64_t delay) {
    if (network->under_way == network->room) {
        const uint32_t room = network->room ? 2 * network->room : 64;
        struct flight **heap = realloc(network->heap, room * sizeof *heap);
        if (!heap) {
            free(flight);
            return -ENOMEM;
        }
        network->heap = heap;
        network->room = room;
    }
    flight->due = network->nanos + delay;
    flight->order = network->order++;
    uint32_t place = network->under_way++;
    network->heap[place] = flight;
    for (; place > 0 && before(network->heap[place], network->heap[(place - 1) / 2]);
         place = (place - 1) / 2)
        swap(network->heap, place, (place - 1) / 2);
    return 0;
}

static struct flight *end_flight(struct simulated_network *network) {
    struct flight **heap = network->heap, *first = heap[0];
    const uint32_t count = --network->under_way;
    heap[0] = heap[count];
    for (uint32_t place = 0;;) {
        uint32_t least = place;
        for (uint32_t child = 2 * place + 1; child <= 2 * place + 2 && child < count; child++)
            if (before(heap[child], heap[least])) least = child;
        if (least == place) return first;
        swap(heap, place, least);
        place = least;
    }
}

// Of the ports that share an address, the same one for the same sender.
static struct simulated_place *find(struct simulated_network *network,
                                    const struct flight *flight) {
    uint32_t count = 0, hash = 2166136261u;
    for (struct simulated_place *p = network->places; p; p = p->next)
        count += (uint32_t)address_equal(&p->port->config.at, &flight->to);
    if (count == 0) return NULL;
    for (int i = 0; i < 16; i++) hash = (hash ^ flight->from.bytes[i]) * 16777619u;
    uint32_t chosen = ((hash ^ flight->from.port) * 16777619u) % count;
    for (struct simulated_place *p = network->places; p; p = p->next)
        if (address_equal(&p->port->config.at, &flight->to) && chosen-- == 0) return p;
    return NULL;
}

static void arrive(struct simulated_network *network, struct flight *flight) {
    struct simulated_place *place = find(network, flight);
    uint64_t *count = &network->counts.delivered;
    if (!place)
        count = &network->counts.nowhere;
    else if (!port_lets_in(place->port, flight->byte_count))
        count = &network->counts.filtered;
    else if (place->inbox.count >= network->wire.inbox)
        count = &network->counts.full;
    ++*count;
    if (count == &network->counts.delivered)
        flights_add(&place->inbox, flight);
    else
        free(flight);
}

static void deliver_until(struct simulated_network *network, uint64_t nanos) {
    while (network->under_way > 0 && network->heap[0]->due <= nanos)
        arrive(network, end_flight(network));
}

void simulated_advance(struct simulated_network *network, uint64_t nanos) {
    network->nanos += nanos;
    deliver_until(network, network->nanos);
}

void simulated_sleep(struct simulated_network *network, uint64_t until) {
    if (network->under_way > 0 && network->heap[0]->due < until) until = network->heap[0]->due;
    if (until > network->nanos) network->nanos = until;
    deliver_until(network, network->nanos);
}

int simulated_deliver(struct simulated_network *network, const struct datagram_address *from,
                      const struct datagram_address *to, const uint8_t *bytes, uint32_t byte_count,
                      uint64_t delay_nanos) {
    struct flight *flight = make(from, to, bytes, byte_count);
    return flight ? start_flight(network, flight, delay_nanos) : -ENOMEM;
}

int simulated_carry(struct simulated_network *network, const struct datagram_address *from,
                    const struct datagram_address *to, const uint8_t *bytes, uint32_t byte_count) {
    const struct simulated_wire *wire = &network->wire;
    network->counts.sent++;
    if (wire->by_hand) {
        struct flight *flight = make(from, to, bytes, byte_count);
        if (!flight) return -ENOMEM;
        flights_add(&network->outbox, flight);
        return 0;
    }
    const int copies = 1 + happens(network, wire->copies);
    network->counts.sent += (uint64_t)copies - 1;
    for (int i = 0; i < copies; i++) {
        if (happens(network, wire->loss)) {
            network->counts.lost++;
            continue;
        }
        const uint64_t jitter = wire->jitter_nanos ? draw(network) % (wire->jitter_nanos + 1) : 0;
        const uint64_t delay = wire->delay_nanos + jitter;
        const int status = simulated_deliver(network, from, to, bytes, byte_count, delay);
        if (status < 0) return status;
    }
    return 0;
}

int simulated_next(struct simulated_network *network, struct simulated_datagram *out) {
    struct flight *flight = flights_take(&network->outbox);
    if (!flight) return 0;
    free(network->shown);
    network->shown = flight;
    *out = (struct simulated_datagram){flight->from, flight->to, flight->byte_count, flight->bytes};
    return 1;
}

void simulated_fail(struct simulated_network *network, const struct datagram_address *port,
                    int status, uint32_t sends, int trains) {
    for (struct simulated_place *place = network->places; place; place = place->next) {
        if (!address_equal(&place->port->config.at, port)) continue;
        place->fault = status;
        place->faults = sends;
        place->faults_trains = trains;
    }
}

void simulated_set_wire(struct simulated_network *network, const struct simulated_wire *wire) {
    network->wire = *wire;
}

uint64_t simulated_nanos(const struct simulated_network *network) { return network->nanos; }

void simulated_read_counts(const struct simulated_network *network, struct simulated_counts *out) {
    *out = network->counts;
}
