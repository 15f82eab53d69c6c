#include "simulated_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// The port of a network in memory.

static int open_place(struct port *port) {
    struct simulated_place *place = calloc(1, sizeof *place);
    if (!place || !port->config.network) {
        free(place);
        return place ? -EINVAL : -ENOMEM;
    }
    port->state = place;
    port->family = port->config.at.family == 6 ? AF_INET6 : AF_INET;
    if (port->config.segmentation) port->features |= PORT_SEGMENTATION;
    if (port->config.coalescing) port->features |= PORT_COALESCING;
    place->port = port;
    place->network = port->config.network;
    place->next = place->network->places;
    place->network->places = place;
    return 0;
}

static void close_place(struct port *port) {
    struct simulated_place *place = port->state;
    if (!place) return;
    struct simulated_place **link = &place->network->places;
    while (*link != place) link = &(*link)->next;
    *link = place->next;
    struct flight *flight;
    while ((flight = flights_take(&place->inbox))) free(flight);
    free(place);
    port->state = NULL;
}

static int start_place(struct port *port) {
    port->stats.armed++;
    return 0;
}

static int wait_in_place(struct port *port, uint32_t want, uint64_t batch_nanos,
                         uint64_t timeout_nanos) {
    (void)want, (void)batch_nanos;
    struct simulated_place *place = port->state;
    const uint64_t woken = port->stats.wakes;
    port->stats.enters++;
    port_drain_wake(port);
    const int sleeps = place->network->wire.waits && (place->inbox.count == 0 || port->paused) &&
                       port->stats.wakes == woken && port->held_count == 0;
    simulated_sleep(place->network, place->network->nanos + (sleeps ? timeout_nanos : 0));
    return 0;
}

// 1 if a datagram can join an arrival, as the kernel's coalescing would have it.
static int joins(const struct port_arrival *arrival, const struct datagram_address *source,
                 const struct flight *flight) {
    const uint32_t segment = arrival->segment_bytes;
    return segment > 0 && flight->byte_count > 0 && flight->byte_count <= segment &&
           arrival->byte_count % segment == 0 && arrival->byte_count / segment < PORT_SEGMENTS &&
           arrival->byte_count + flight->byte_count <= 65507 &&
           address_equal(source, &flight->from);
}

static void fill(struct port *port, uint32_t index, const struct flight *flight) {
    struct port_arrival *out = &port->held[index];
    const uint32_t room = (uint32_t)(port->config.receive_stride - PORT_HEAD_BYTES);
    out->truncated = flight->byte_count > room;
    out->byte_count = out->truncated ? room : flight->byte_count;
    out->segment_bytes = out->byte_count;
    out->source = flight->from;
    out->bytes = port_buffer(port, index) + PORT_HEAD_BYTES;
    memcpy(out->bytes, flight->bytes, out->byte_count);
}

static uint32_t take_from_place(struct port *port, uint32_t max) {
    struct simulated_place *place = port->state;
    const uint32_t buffers = port->config.receive_buffers;
    const uint32_t most = port->paused ? 0 : buffers < max ? buffers : max;
    const int whole = place->network->wire.coalescing && (port->features & PORT_COALESCING);
    uint32_t count = 0;
    while (count < most && place->inbox.first) {
        struct flight *flight = flights_take(&place->inbox);
        struct port_arrival *out = &port->held[count];
        fill(port, count++, flight);
        free(flight);
        while (whole && place->inbox.first && joins(out, &out->source, place->inbox.first)) {
            flight = flights_take(&place->inbox);
            memcpy(out->bytes + out->byte_count, flight->bytes, flight->byte_count);
            out->byte_count += flight->byte_count;
            free(flight);
        }
    }
    return count;
}

static void release_in_place(struct port *port) { (void)port; }

static int pause_place(struct port *port) {
    (void)port;
    return 0;
}

static int carry(struct port *port, const struct message *message) {
    struct simulated_place *place = port->state;
    const struct train *train = &port->trains[message->train];
    if (place->faults > 0 && (message->count > 1 || !place->faults_trains)) {
        place->faults--;
        return place->fault;
    }
    const uint32_t longest = place->network->wire.longest;
    const uint32_t whole = (uint32_t)message->vector.iov_len;
    const uint32_t size = whole < train->segment_bytes ? whole : train->segment_bytes;
    if (longest > 0 && size > longest) return -EMSGSIZE;
    const uint8_t *bytes = message->vector.iov_base;
    for (uint32_t start = 0; start < whole; start += size) {
        const uint32_t count = whole - start < size ? whole - start : size;
        if (start > 0 && place->network->wire.cuts_trains) {
            place->network->counts.sent++;
            place->network->counts.lost++;
            continue;
        }
        const int status =
            simulated_carry(place->network, &port->config.at, &train->to, bytes + start, count);
        if (status < 0) return status;
    }
    return 0;
}

static int transmit(struct port *port, uint32_t count) {
    port->stats.enters++;
    for (uint32_t i = 0; i < count; i++) {
        port->messages[i].status = carry(port, &port->messages[i]);
        if (port->messages[i].status == -EAGAIN) break;
    }
    return 0;
}

static uint64_t nanos(const struct port *port) {
    const struct simulated_place *place = port->state;
    return place->network->nanos;
}

const struct backend port_simulated = {
    .kind = PORT_SIMULATED,
    .open = open_place,
    .close = close_place,
    .start = start_place,
    .wait = wait_in_place,
    .take = take_from_place,
    .release = release_in_place,
    .pause = pause_place,
    .transmit = transmit,
    .nanos = nanos,
};
