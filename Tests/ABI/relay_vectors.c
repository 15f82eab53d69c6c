// Relays the published packets: each node of each journey is a context of its own.
#include "check.h"

#include <dirent.h>
#include <jansson.h>

enum { PACKET_MAX = 4096 };

typedef struct {
    json_t *profile, *nodes, *known;
    const char *domain, *name;
    size_t packet_bytes, payload_bytes;
} set;

typedef struct {
    void *memory;
    dray_relay *relay;
} context;

static size_t from_hex(const char *text, uint8_t *bytes, size_t capacity) {
    size_t count = strlen(text) / 2;
    if (count > capacity) abort();
    for (size_t i = 0; i < count; i++) {
        unsigned value;
        if (sscanf(text + 2 * i, "%2x", &value) != 1) abort();
        bytes[i] = (uint8_t)value;
    }
    return count;
}

static const char *text(json_t *object, const char *name) {
    const char *found = json_string_value(json_object_get(object, name));
    if (!found) {
        printf("no text %s\n", name);
        abort();
    }
    return found;
}

static size_t hex(json_t *object, const char *name, uint8_t *bytes, size_t capacity) {
    return from_hex(text(object, name), bytes, capacity);
}

static uint64_t number(json_t *object, const char *name) {
    json_t *value = json_object_get(object, name);
    if (json_is_integer(value)) return (uint64_t)json_integer_value(value);
    return strtoull(text(object, name), NULL, 10);
}

static uint64_t hex_number(json_t *object, const char *name) {
    return strtoull(text(object, name), NULL, 16);
}

static json_t *node_by_key(const set *set, const char *packet_key) {
    size_t i;
    json_t *node;
    json_array_foreach(set->nodes, i, node) {
        if (!strcmp(text(node, "offchain_pub"), packet_key)) return node;
    }
    printf("unknown node\n");
    abort();
}

// A context for one node of a set.
static context open_context(const set *set, json_t *node) {
    dray_config config;
    CHECK(dray_config_init(&config, "head") == DRAY_OK, "head");
    config.payload_bytes = (uint32_t)set->payload_bytes;
    config.ticket_selector = (uint32_t)hex_number(set->profile, "redeem_selector");
    config.refuse_neutral_alpha = set->payload_bytes != 1038;
    config.nodes_max = 8;
    config.channels_max = 4;
    config.unacked_max = 64;
    config.replay_max = 100;
    config.report_bytes = 1 << 16;
    config.recheck_responses = 1;
    size_t size = dray_relay_size(&config);
    context context = {memory(size), NULL};
    uint8_t seed[32] = {7};
    dray_status status =
        dray_relay_init(context.memory, size, &config, seed, NULL, 0, &context.relay);
    CHECK(status == DRAY_OK, "%s", dray_strerror(status));
    dray_identity identity = {.key_id = (uint32_t)hex_number(node, "key_id")};
    hex(node, "offchain_seed", identity.packet_seed, 32);
    hex(node, "chain_priv", identity.chain_key, 32);
    from_hex(set->domain, identity.domain, 32);
    status = dray_relay_set_identity(context.relay, &identity, NULL);
    CHECK(status == DRAY_OK, "%s", dray_strerror(status));
    return context;
}

static void close_context(context context) {
    CHECK(dray_relay_wipe(context.relay) == DRAY_OK, "wipe");
    CHECK(dray_relay_wipe(context.relay) == DRAY_ERROR_STATE, "wiped twice");
    free(context.memory);
}

// A channel with plenty in it. Published channels are under the VRF rule.
static dray_channel channel(uint32_t slot, uint8_t direction, json_t *peer, uint32_t epoch) {
    dray_channel channel = {.slot = slot,
                            .direction = direction,
                            .status = DRAY_OPEN,
                            .channel_epoch = epoch,
                            .balance = {1 << 20, 0},
                            .index_limit = (uint64_t)1 << 48};
    hex(peer, "chain_address", channel.peer, 20);
    return channel;
}

// True if a list of key ids, or none at all, names a node.
static bool is_known(json_t *list, json_t *node) {
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        if (!strcmp(text(entry, "id"), text(node, "key_id"))) return true;
    }
    return !list;
}

static void set_tables(context context, const set *set, json_t *own, const dray_channel *channels,
                       size_t channel_count) {
    dray_node nodes[8];
    size_t count = 0, i;
    json_t *node;
    json_array_foreach(set->nodes, i, node) {
        if (node == own || !is_known(set->known, node)) continue;
        nodes[count].key_id = (uint32_t)hex_number(node, "key_id");
        hex(node, "offchain_pub", nodes[count].packet_key, 32);
        hex(node, "chain_address", nodes[count].chain_address, 20);
        count++;
    }
    dray_status status =
        dray_relay_set_tables(context.relay, nodes, count, channels, channel_count);
    CHECK(status == DRAY_OK, "%s", dray_strerror(status));
}

static dray_report report_of_kind(context context, uint32_t kind, uint8_t *payload) {
    dray_report report = {0};
    dray_status status = dray_relay_next_report(context.relay, &report, payload, PACKET_MAX);
    CHECK(status == 1 && report.kind == kind, "report %d of kind %u", status, report.kind);
    return report;
}

// The acknowledgement of the next hop opens the ticket.
static void acknowledge(context context, const set *set, json_t *hop, json_t *acks) {
    uint8_t ack[DRAY_ACK_BYTES], response[32], ticket[DRAY_TICKET_BYTES];
    uint32_t next = (uint32_t)hex_number(hop, "next_key_id");
    size_t i;
    json_t *entry, *found = NULL;
    json_array_foreach(acks, i, entry) {
        if (!strcmp(text(entry, "ack_challenge"), text(hop, "ack_challenge_from_next_hop")))
            found = entry;
    }
    CHECK(found, "%s: no acknowledgement", set->name);
    if (!found) return;
    hex(found, "acknowledgement", ack, sizeof ack);
    ack[40] ^= 1;
    dray_status status = dray_relay_acknowledge(context.relay, next, ack, 1, 2);
    CHECK(status == DRAY_OK && dray_relay_unacked_count(context.relay) == 1, "bad one taken");
    ack[40] ^= 1;
    status = dray_relay_acknowledge(context.relay, next, ack, 1, 2);
    CHECK(status == DRAY_OK, "%s", dray_strerror(status));
    dray_report report = report_of_kind(context, DRAY_REPORT_UNLOCKED, NULL);
    hex(found, "response", response, 32);
    hex(json_object_get(hop, "ticket_in"), "raw", ticket, sizeof ticket);
    CHECK(!memcmp(report.response, response, 32), "%s: response", set->name);
    CHECK(!memcmp(report.ticket, ticket, sizeof ticket), "%s: ticket", set->name);
    CHECK(report.index == number(json_object_get(hop, "ticket_in"), "index"), "index");
    CHECK(dray_relay_unacked_count(context.relay) == 0, "still awaited");
}

// The issuer's first ticket was checked without a table, and made one; neighbours have theirs.
static void check_tables(context context, const set *set) {
    dray_table_counts issuers, neighbours;
    dray_status status = dray_relay_table_counts(context.relay, DRAY_ISSUERS, &issuers);
    CHECK(status == DRAY_OK && issuers.used == 1 && issuers.capacity == 4, "%s", set->name);
    CHECK(issuers.hits == 0 && issuers.misses == 1 && issuers.evictions == 0, "%s", set->name);
    status = dray_relay_table_counts(context.relay, DRAY_NEIGHBOURS, &neighbours);
    CHECK(status == DRAY_OK && neighbours.used == 2 && neighbours.capacity == 8, "%s", set->name);
    CHECK(neighbours.hits == 2 && neighbours.misses == 0, "%s: acknowledgements", set->name);
}

static void final_hop(context context, const set *set, json_t *hop, const dray_result *result) {
    uint8_t payload[PACKET_MAX], expected[PACKET_MAX];
    CHECK(result->action == DRAY_DELIVERED, "%s: action %u", set->name, result->action);
    dray_report report = {0};
    dray_status status = dray_relay_next_report(context.relay, &report, payload, 3);
    CHECK(status == DRAY_ERROR_SIZE && report.payload_bytes == set->payload_bytes, "too small");
    report = report_of_kind(context, DRAY_REPORT_DELIVERY, payload);
    size_t count = hex(hop, "payload_after_prp_inverse", expected, sizeof expected);
    CHECK(report.payload_bytes == count && !memcmp(payload, expected, count), "%s", set->name);
    bool is_reply = json_is_true(json_object_get(json_object_get(hop, "prefix"), "is_reply"));
    CHECK(report.is_reply == is_reply && result->acknowledge == !is_reply, "%s", set->name);
    hex(hop, "ack_key_for_previous_hop", expected, 32);
    CHECK(!memcmp(report.ack_key, expected, 32), "%s: key", set->name);
}

static void relayed_hop(context context, const set *set, json_t *hop, const dray_result *result,
                        const uint8_t *packet, json_t *acks) {
    uint8_t expected[PACKET_MAX];
    CHECK(result->action == DRAY_FORWARD, "%s: action %u", set->name, result->action);
    CHECK(result->next_key_id == hex_number(hop, "next_key_id"), "%s: next", set->name);
    size_t count = hex(hop, "packet_out", expected, sizeof expected);
    CHECK(!memcmp(packet, expected, count), "%s: packet out", set->name);
    hex(hop, "ack_key_for_previous_hop", expected, 32);
    CHECK(result->acknowledge && !memcmp(result->ack_key, expected, 32), "%s: key", set->name);
    dray_report report = report_of_kind(context, DRAY_REPORT_LOCKED, NULL);
    CHECK(report.channel == 0, "%s: channel", set->name);
    acknowledge(context, set, hop, acks);
    check_tables(context, set);
}

// One node's part of a journey.
static void hop(const set *set, json_t *hop, json_t *acks, bool aligned) {
    json_t *own = node_by_key(set, text(hop, "node"));
    json_t *previous = node_by_key(set, text(hop, "previous_node"));
    bool is_final = !strcmp(text(hop, "kind"), "final");
    context context = open_context(set, own);
    dray_channel channels[2];
    size_t count = 0;
    dray_policy policy = {.win_probability = 0};
    if (!is_final) {
        json_t *in = json_object_get(hop, "ticket_in"), *out = json_object_get(hop, "ticket_out");
        uint32_t epoch = (uint32_t)number(in, "channel_epoch");
        channels[count] = channel(0, DRAY_INCOMING, previous, epoch);
        channels[count++].index_floor = number(in, "index");
        channels[count] =
            channel(1, DRAY_OUTGOING, node_by_key(set, text(hop, "next_node")), epoch);
        channels[count++].next_index = number(out, "index");
        policy.win_probability = hex_number(in, "win_prob");
    }
    policy.price.low = number(set->profile, "price");
    CHECK(dray_relay_set_policy(context.relay, &policy) == DRAY_OK, "policy");
    set_tables(context, set, own, channels, count);

    uint8_t *slot = memory(PACKET_MAX + 64), *packet = slot + (aligned ? 0 : 1);
    uint32_t length = (uint32_t)hex(hop, "packet_in", packet, PACKET_MAX);
    uint32_t from = (uint32_t)hex_number(previous, "key_id");
    dray_result result;
    dray_status status = dray_relay_process(
        context.relay, packet, set->packet_bytes, 1, &length, &from, 1, NULL, &result);
    CHECK(status == DRAY_OK && result.verdict == 0,
          "%s: %s",
          set->name,
          dray_drop_name(result.verdict));
    if (is_final) {
        final_hop(context, set, hop, &result);
    } else {
        relayed_hop(context, set, hop, &result, packet, acks);
    }
    free(slot);
    close_context(context);
}

static void journey(set *set, json_t *journey, json_t *acks, json_t *economics) {
    size_t i;
    json_t *entry;
    json_object_set_new(
        set->profile, "price", json_integer((json_int_t)number(economics, "price_per_hop")));
    json_array_foreach(journey, i, entry) hop(set, entry, acks, i % 2 == 0);
}

static void packet_file(json_t *root, set *set) {
    json_t *test = json_object_get(root, "case"), *reply, *economics;
    size_t i;
    set->nodes = json_object_get(test, "nodes");
    set->domain = text(test, "domain_separator");
    economics = json_object_get(test, "economics");
    journey(set,
            json_object_get(test, "journey"),
            json_object_get(test, "acknowledgements"),
            economics);
    json_array_foreach(json_object_get(test, "replies"), i, reply) {
        journey(set,
                json_object_get(reply, "journey"),
                json_object_get(reply, "acknowledgements"),
                economics);
    }
}

static void ack_file(json_t *root, set *set) {
    size_t i;
    json_t *test;
    json_array_foreach(json_object_get(root, "cases"), i, test) {
        uint8_t packet[PACKET_MAX], challenge[33];
        set->nodes = json_object_get(test, "nodes");
        set->domain = text(test, "domain_separator");
        json_t *from = json_array_get(set->nodes, 0), *own = json_array_get(set->nodes, 1);
        json_t *challenges = json_object_get(test, "ack_challenges"), *entry;
        context context = open_context(set, own);
        set_tables(context, set, own, NULL, 0);
        uint32_t key_id = (uint32_t)hex_number(from, "key_id");
        size_t k;
        // As if we had sent the packets that are acknowledged.
        json_array_foreach(challenges, k, entry) {
            from_hex(json_string_value(entry), challenge, 33);
            dray_status status = dray_relay_register_sent(context.relay, key_id, challenge, 1);
            CHECK(status == DRAY_OK, "%s", dray_strerror(status));
        }
        hex(test, "packet", packet, sizeof packet);
        dray_result result;
        dray_status status = dray_relay_process(
            context.relay, packet, set->packet_bytes, 1, NULL, &key_id, 2, NULL, &result);
        CHECK(status == DRAY_OK && result.verdict == 0 && result.action == DRAY_ACKS,
              "%s %s",
              set->name,
              dray_drop_name(result.verdict));
        CHECK(!result.acknowledge, "acknowledgements are not acknowledged");
        CHECK(dray_relay_unacked_count(context.relay) == 0, "%s: not all taken", set->name);
        json_array_foreach(challenges, k, entry) {
            dray_report report = report_of_kind(context, DRAY_REPORT_ACKNOWLEDGED, NULL);
            from_hex(json_string_value(entry), challenge, 33);
            CHECK(!memcmp(report.hint, challenge, 33), "%s: hint", set->name);
        }
        close_context(context);
    }
}

// All cases as one batch, then one by one: price, balance and epoch are not judged by the set, so
// the channel follows the ticket of the baseline.
static void negative_file(json_t *root, set *set) {
    json_t *cases = json_object_get(json_object_get(root, "set"), "cases"), *test, *one;
    json_t *negative = json_object_get(root, "set");
    set->nodes = json_object_get(negative, "nodes");
    set->domain = text(negative, "domain_separator");
    json_t *own = json_array_get(set->nodes, number(negative, "receiver_node_index"));
    json_t *previous = json_array_get(set->nodes, number(negative, "previous_hop_index"));
    uint8_t *packet = memory(PACKET_MAX);
    size_t i, k;
    json_array_foreach(cases, i, test) {
        uint32_t length, from = (uint32_t)hex_number(previous, "key_id");
        hex(json_array_get(cases, 0), "packet", packet, PACKET_MAX);
        const uint8_t *ticket = packet + set->packet_bytes - DRAY_TICKET_BYTES;
        uint32_t epoch = (uint32_t)(ticket[38] << 16 | ticket[39] << 8 | ticket[40]);
        dray_channel channels[4];
        size_t count = 0;
        channels[count++] = channel(0, DRAY_INCOMING, previous, epoch);
        json_array_foreach(set->nodes, k, one) {
            if (one == own || one == previous || count == 4) continue;
            channels[count] = channel((uint32_t)count, DRAY_OUTGOING, one, 1);
            count++;
        }
        set->known = json_object_get(test, "key_ids_known");
        // The packet of this case is a good one, at another node.
        bool elsewhere = !strcmp(text(test, "name"), "wrong-node");
        json_t *node = elsewhere ? json_array_get(set->nodes, 2) : own;
        context context = open_context(set, node);
        set_tables(context, set, node, channels, count);
        length = (uint32_t)hex(test, "packet", packet, PACKET_MAX);
        dray_result result;
        dray_status status = dray_relay_process(
            context.relay, packet, PACKET_MAX, 1, &length, &from, 1, NULL, &result);
        bool accept = !strcmp(text(test, "expect"), "accept");
        CHECK(status == DRAY_OK && accept == (result.action == DRAY_FORWARD),
              "%s %s: %s",
              set->name,
              text(test, "name"),
              dray_drop_name(result.verdict));
        CHECK(accept == (result.verdict == 0), "%s", text(test, "name"));
        if (!accept) CHECK(dray_relay_drops(context.relay, result.verdict) == 1, "not counted");
        CHECK(dray_relay_replay_count(context.relay) == (accept ? 1 : 0), "tag");
        close_context(context);
    }
    free(packet);
}

void relay_vectors(const char *folder) {
    DIR *directory = opendir(folder);
    if (!directory) {
        perror(folder);
        exit(2);
    }
    unsigned files = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[4096];
        void (*check)(json_t *, set *) = NULL;
        if (!strncmp(entry->d_name, "packet-", 7)) check = packet_file;
        if (!strncmp(entry->d_name, "ack-packets-", 12)) check = ack_file;
        if (!strncmp(entry->d_name, "negative-", 9)) check = negative_file;
        if (!check) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        json_error_t error;
        json_t *root = json_load_file(path, 0, &error);
        CHECK(root, "%s: %s", path, error.text);
        if (!root) continue;
        set set = {.profile = json_object_get(root, "profile"), .name = entry->d_name};
        set.packet_bytes = number(set.profile, "packet");
        set.payload_bytes = number(set.profile, "payload_block");
        check(root, &set);
        json_decref(root);
        files++;
    }
    closedir(directory);
    CHECK(files > 20, "only %u vector files in %s", files, folder);
}
