// Everything that is wrong, at every function: an answer each time, never a trap.
#include "check.h"

#include <pthread.h>

static const uint8_t seed[32] = {3};

static dray_config small_config(void) {
    dray_config config;
    dray_config_init(&config, "head");
    config.nodes_max = 4;
    config.channels_max = 4;
    config.unacked_max = 16;
    config.replay_max = 100;
    config.report_bytes = 1 << 16;
    return config;
}

static dray_relay *make(void **place) {
    dray_config config = small_config();
    size_t size = dray_relay_size(&config);
    dray_relay *relay = NULL;
    *place = memory(size);
    CHECK(dray_relay_init(*place, size, &config, seed, NULL, 0, &relay) == DRAY_OK, "init");
    dray_identity identity = {.key_id = 1, .packet_seed = {1}, .chain_key = {1}};
    CHECK(dray_relay_set_identity(relay, &identity, NULL) == DRAY_OK, "identity");
    return relay;
}

static void texts(void) {
    for (int64_t status = -20; status <= 5; status++) {
        CHECK(dray_strerror((dray_status)status)[0], "no text");
    }
    CHECK(dray_strerror(INT32_MIN)[0] && dray_strerror(INT32_MAX)[0], "no text");
    CHECK(!strcmp(dray_drop_name(0), "none") && !dray_drop_name(UINT32_MAX), "names");
}

static void configurations(void) {
    dray_config config, good = small_config();
    CHECK(dray_config_init(NULL, "head") == DRAY_ERROR_NULL, "NULL");
    CHECK(dray_config_init(&config, NULL) == DRAY_ERROR_NULL, "NULL");
    const char *names[] = {"", "h", "hea", "heads", "HEAD", "v", "v5", "mix", "mix133"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(dray_config_init(&config, names[i]) == DRAY_ERROR_RANGE, "%s", names[i]);
    }
    CHECK(dray_relay_size(NULL) == 0 && dray_packet_size(NULL) == 0, "NULL");
    CHECK(dray_packet_size(&good) == 1461, "packet");
    CHECK(dray_replay_size(0) == 0 && dray_replay_size(UINT64_MAX) == 0, "replay");
    // Every byte of the configuration set to every extreme: a size or none, never a trap.
    for (size_t i = 0; i < sizeof config; i++) {
        const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
        for (size_t k = 0; k < sizeof values; k++) {
            config = good;
            ((uint8_t *)&config)[i] = values[k];
            size_t size = dray_relay_size(&config);
            CHECK(size == 0 || size > 4096, "size %zu", size);
        }
    }
    config = good;
    config.issuer_table_bytes = ((uint64_t)1 << 36) + 1;
    CHECK(dray_relay_size(&config) == 0, "issuers");
    config = good;
    config.neighbour_table_bytes = ((uint64_t)1 << 36) + 1;
    CHECK(dray_relay_size(&config) == 0, "neighbours");
    config = good;
    config.issuer_table_bytes = config.neighbour_table_bytes = 0;
    CHECK(dray_relay_size(&config) + (1 << 20) < dray_relay_size(&good), "tables take no memory");
    memset(&config, 0xff, sizeof config);
    CHECK(dray_relay_size(&config) == 0, "all ones");
    memset(&config, 0, sizeof config);
    CHECK(dray_relay_size(&config) == 0, "all zero");
}

static void beginnings(void) {
    dray_config config = small_config(), bad = config;
    bad.nodes_max = 0;
    size_t size = dray_relay_size(&config);
    uint8_t *place = memory(size + 64);
    dray_relay *relay = NULL;
    CHECK(dray_relay_init(NULL, size, &config, seed, NULL, 0, &relay) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_init(place, size, NULL, seed, NULL, 0, &relay) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_init(place, size, &config, NULL, NULL, 0, &relay) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_init(place, size, &config, seed, NULL, 0, NULL) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_init(place + 1, size, &config, seed, NULL, 0, &relay) == DRAY_ERROR_ALIGN,
          "-");
    CHECK(dray_relay_init(place, size - 1, &config, seed, NULL, 0, &relay) == DRAY_ERROR_SIZE, "-");
    CHECK(dray_relay_init(place, 0, &config, seed, NULL, 0, &relay) == DRAY_ERROR_SIZE, "-");
    CHECK(dray_relay_init(place, size, &bad, seed, NULL, 0, &relay) == DRAY_ERROR_RANGE, "-");
    CHECK(!relay, "made nevertheless");

    config.replay_outside = 1;
    size_t replay_size = dray_replay_size(config.replay_max);
    CHECK(dray_relay_size(&config) < size, "replay set is still inside");
    uint8_t *replay = memory(replay_size);
    CHECK(dray_relay_init(place, size, &config, seed, NULL, 0, &relay) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_init(place, size, &config, seed, replay + 8, replay_size, &relay) ==
              DRAY_ERROR_ALIGN,
          "-");
    CHECK(dray_relay_init(place, size, &config, seed, replay, replay_size - 1, &relay) ==
              DRAY_ERROR_SIZE,
          "-");
    memset(replay, 0x55, replay_size);
    CHECK(dray_relay_init(place, size, &config, seed, replay, replay_size, &relay) ==
              DRAY_ERROR_REPLAY,
          "-");
    memset(replay, 0, replay_size);
    CHECK(dray_relay_init(place, size, &config, seed, replay, replay_size, &relay) == DRAY_OK, "-");
    // A context that was moved is none.
    uint8_t *moved = memory(size);
    memcpy(moved, place, size);
    CHECK(dray_relay_expire((dray_relay *)moved, 0) == DRAY_ERROR_STATE, "moved");
    free(moved);
    free(replay);
    free(place);
}

static void no_context(dray_relay *relay, dray_status expected) {
    dray_identity identity = {.chain_key = {1}};
    dray_policy policy = {.win_probability = 1};
    dray_result result;
    dray_report report;
    dray_channel_state state;
    uint8_t bytes[4096] = {0};
    uint32_t from = 1;
    CHECK(dray_relay_set_identity(relay, &identity, NULL) == expected, "-");
    CHECK(dray_relay_set_policy(relay, &policy) == expected, "-");
    CHECK(dray_relay_set_tables(relay, NULL, 0, NULL, 0) == expected, "-");
    CHECK(dray_relay_process(relay, bytes, 1461, 1, NULL, &from, 0, NULL, &result) == expected,
          "-");
    CHECK(dray_relay_acknowledge(relay, 1, bytes, 1, 0) == expected, "-");
    CHECK(dray_relay_make_ack_packet(relay, 1, bytes, 1, bytes, 1461) == expected, "-");
    CHECK(dray_relay_register_sent(relay, 1, bytes, 0) == expected, "-");
    CHECK(dray_relay_expire(relay, 0) == expected, "-");
    CHECK(dray_relay_next_report(relay, &report, bytes, 4096) == expected, "-");
    CHECK(dray_relay_release(relay, 0, (dray_amount){0, 1}) == expected, "-");
    CHECK(dray_relay_raise_floor(relay, 0, 1) == expected, "-");
    CHECK(dray_relay_raise_limit(relay, 0, 1) == expected, "-");
    CHECK(dray_relay_channel_state(relay, 0, &state) == expected, "-");
    dray_table_counts counts;
    CHECK(dray_relay_table_counts(relay, DRAY_ISSUERS, &counts) == expected, "-");
    CHECK(dray_relay_drops(relay, 1) == 0 && dray_relay_replay_count(relay) == 0, "-");
    CHECK(dray_relay_unacked_count(relay) == 0 && dray_relay_wipe(relay) == expected, "-");
}

static void tables(dray_relay *relay) {
    dray_node nodes[5] = {{.key_id = 1}, {.key_id = 2}, {.key_id = 2}, {.key_id = 3}, {0}};
    dray_channel channels[5] = {{.slot = 0, .status = DRAY_OPEN}, {.slot = 3, .direction = 1}};
    CHECK(dray_relay_set_tables(relay, NULL, 1, NULL, 0) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_set_tables(relay, NULL, 0, NULL, 1) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_set_tables(relay, nodes, 5, NULL, 0) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_set_tables(relay, nodes, SIZE_MAX, NULL, 0) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_set_tables(relay, nodes, 1, channels, SIZE_MAX / 2) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_set_tables(relay, nodes, 4, channels, 2) == DRAY_OK, "-");
    dray_channel bad[] = {{.slot = 4},
                          {.slot = UINT32_MAX},
                          {.direction = 2},
                          {.status = 4},
                          {.commitment_rule = 2},
                          {.stopped = 2},
                          {.channel_epoch = 1 << 24},
                          {.balance = {UINT64_MAX, 0}},
                          {.reserved = {UINT64_MAX, 0}},
                          {.index_floor = UINT64_MAX},
                          {.next_index = UINT64_MAX},
                          {.index_limit = UINT64_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(dray_relay_set_tables(relay, nodes, 1, &bad[i], 1) == DRAY_ERROR_RANGE, "%zu", i);
    }
    dray_table_counts counts;
    CHECK(dray_relay_table_counts(relay, DRAY_ISSUERS, NULL) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_table_counts(relay, 2, &counts) == DRAY_ERROR_RANGE, "-");
    channels[1].slot = 0;
    CHECK(dray_relay_set_tables(relay, nodes, 1, channels, 2) == DRAY_ERROR_RANGE, "slot twice");
    dray_identity identity = {.chain_key = {0}};
    CHECK(dray_relay_set_identity(relay, NULL, NULL) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_set_identity(relay, &identity, NULL) == DRAY_ERROR_KEY, "-");
    memset(identity.chain_key, 0xff, 32);
    CHECK(dray_relay_set_identity(relay, &identity, NULL) == DRAY_ERROR_KEY, "-");
    dray_policy policy = {.price = {UINT64_MAX, 0}};
    CHECK(dray_relay_set_policy(relay, NULL) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_set_policy(relay, &policy) == DRAY_ERROR_RANGE, "-");
    policy = (dray_policy){.win_probability = (uint64_t)1 << 56};
    CHECK(dray_relay_set_policy(relay, &policy) == DRAY_ERROR_RANGE, "-");
}

static void packets(dray_relay *relay) {
    enum { COUNT = 130, STRIDE = 1463 };
    uint8_t *bytes = memory(COUNT * STRIDE);
    uint32_t lengths[COUNT], from[COUNT];
    dray_result results[COUNT];
    uint32_t state = 1;
    for (size_t i = 0; i < COUNT * STRIDE; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(state >> 24);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        lengths[i] = i % 5 == 0 ? UINT32_MAX - i : i % 7 == 0 ? i : 1461;
        from[i] = i % 3 == 0 ? 2 : i % 3 == 1 ? UINT32_MAX : 3;
        // A ticket of zeros goes on to the peel.
        if (i % 2) memset(bytes + i * STRIDE + 1461 - DRAY_TICKET_BYTES, 0, DRAY_TICKET_BYTES);
    }
#define PROCESS(b, s, c, l, f, r) dray_relay_process(relay, b, s, c, l, f, 0, NULL, r)
    CHECK(PROCESS(NULL, STRIDE, 1, lengths, from, results) == DRAY_ERROR_NULL, "-");
    CHECK(PROCESS(bytes, STRIDE, 1, lengths, NULL, results) == DRAY_ERROR_NULL, "-");
    CHECK(PROCESS(bytes, STRIDE, 1, lengths, from, NULL) == DRAY_ERROR_NULL, "-");
    CHECK(PROCESS(bytes, 1460, 1, lengths, from, results) == DRAY_ERROR_SIZE, "-");
    CHECK(PROCESS(bytes, 0, 1, lengths, from, results) == DRAY_ERROR_SIZE, "-");
    CHECK(PROCESS(bytes, SIZE_MAX, 1, lengths, from, results) == DRAY_ERROR_SIZE, "-");
    CHECK(PROCESS(bytes, SIZE_MAX / 2, 1, lengths, from, results) == DRAY_ERROR_RANGE, "-");
    CHECK(PROCESS(bytes, STRIDE, SIZE_MAX, lengths, from, results) == DRAY_ERROR_RANGE, "-");
    CHECK(PROCESS(bytes, STRIDE, 65537, lengths, from, results) == DRAY_ERROR_RANGE, "-");
    CHECK(PROCESS(NULL, 0, 0, NULL, NULL, NULL) == DRAY_OK, "nothing");
    CHECK(dray_relay_process(
              relay, bytes, STRIDE, COUNT, lengths, from, UINT64_MAX, seed, results) == DRAY_OK,
          "-");
    for (uint32_t i = 0; i < COUNT; i++) {
        CHECK(results[i].verdict != 0 && results[i].action == DRAY_DROPPED, "%u", i);
        CHECK(results[i].next_key_id == DRAY_NONE && !results[i].acknowledge, "%u", i);
        CHECK(dray_drop_name(results[i].verdict), "%u", results[i].verdict);
    }
    CHECK(dray_relay_replay_count(relay) == 0, "tags of garbage");
    free(bytes);
}

static void others(dray_relay *relay) {
    uint8_t bytes[8192] = {0};
    dray_report report;
    dray_channel_state state;
    CHECK(dray_relay_acknowledge(relay, 9, bytes, 1, 0) == DRAY_ERROR_NODE, "-");
    CHECK(dray_relay_acknowledge(relay, 2, NULL, 1, 0) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_acknowledge(relay, 2, bytes, SIZE_MAX, 0) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_acknowledge(relay, 2, bytes, 70, 0) == DRAY_OK, "-");
    CHECK(dray_relay_make_ack_packet(relay, 9, bytes, 1, bytes, 8192) == DRAY_ERROR_NODE, "-");
    CHECK(dray_relay_make_ack_packet(relay, 2, NULL, 1, bytes, 8192) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_make_ack_packet(relay, 2, bytes, 1, NULL, 8192) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_make_ack_packet(relay, 2, bytes, 0, bytes, 8192) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_make_ack_packet(relay, 2, bytes, 11, bytes, 8192) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_make_ack_packet(relay, 2, bytes, 1, bytes, 1460) == DRAY_ERROR_SIZE, "-");
    CHECK(dray_relay_register_sent(relay, 9, bytes, 0) == DRAY_ERROR_NODE, "-");
    CHECK(dray_relay_register_sent(relay, 2, NULL, 0) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_register_sent(relay, 2, bytes, 5) == DRAY_OK, "-");
    CHECK(dray_relay_register_sent(relay, 2, bytes, 5) == DRAY_ERROR_FULL, "awaited already");
    CHECK(dray_relay_expire(relay, 0) == DRAY_OK && dray_relay_unacked_count(relay) == 1, "-");
    CHECK(dray_relay_expire(relay, UINT64_MAX) == DRAY_OK, "-");
    CHECK(dray_relay_unacked_count(relay) == 0, "not expired");
    CHECK(dray_relay_next_report(relay, NULL, bytes, 0) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_next_report(relay, &report, NULL, 0) == 0, "no report");
    CHECK(dray_relay_release(relay, 4, (dray_amount){0, 1}) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_release(relay, 0, (dray_amount){UINT64_MAX, UINT64_MAX}) == DRAY_OK, "-");
    CHECK(dray_relay_raise_floor(relay, 4, 1) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_raise_floor(relay, 0, UINT64_MAX) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_raise_limit(relay, UINT32_MAX, 1) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_raise_limit(relay, 1, UINT64_MAX) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_channel_state(relay, 4, &state) == DRAY_ERROR_RANGE, "-");
    CHECK(dray_relay_channel_state(relay, 0, NULL) == DRAY_ERROR_NULL, "-");
    CHECK(dray_relay_channel_state(relay, 0, &state) == DRAY_OK, "-");
    CHECK(state.reserved.high == 0 && state.reserved.low == 0, "-");
    CHECK(dray_relay_drops(relay, UINT32_MAX) == 0, "-");
}

void hostile(void) {
    static uint8_t zeros[65536] __attribute__((aligned(64)));
    void *place;
    texts();
    configurations();
    beginnings();
    no_context(NULL, DRAY_ERROR_NULL);
    no_context((dray_relay *)(zeros + 4), DRAY_ERROR_ALIGN);
    no_context((dray_relay *)zeros, DRAY_ERROR_STATE);
    dray_relay *relay = make(&place);
    dray_result result;
    uint32_t from = 1;
    CHECK(PROCESS(zeros, 1461, 1, NULL, &from, &result) == DRAY_ERROR_STATE, "no tables");
    tables(relay);
    packets(relay);
    others(relay);
    CHECK(dray_relay_wipe(relay) == DRAY_OK, "-");
    no_context(relay, DRAY_ERROR_STATE);
    free(place);
}

typedef struct {
    dray_relay *relay;
    unsigned long done, busy, wrong;
} worker;

static void *work(void *argument) {
    worker *worker = argument;
    uint8_t packet[1461];
    for (int i = 0; i < 300; i++) {
        uint32_t from = 2;
        dray_result result;
        memset(packet, i, sizeof packet);
        memset(packet + 1461 - DRAY_TICKET_BYTES, 0, DRAY_TICKET_BYTES);
        dray_status status =
            dray_relay_process(worker->relay, packet, 1461, 1, NULL, &from, 1, seed, &result);
        if (status == DRAY_OK)
            worker->done++;
        else if (status == DRAY_ERROR_BUSY)
            worker->busy++;
        else
            worker->wrong++;
    }
    return NULL;
}

void threads(void) {
    void *places[2];
    dray_relay *relays[2] = {make(&places[0]), make(&places[1])};
    dray_node node = {.key_id = 2};
    for (int i = 0; i < 2; i++) {
        CHECK(dray_relay_set_tables(relays[i], &node, 1, NULL, 0) == DRAY_OK, "tables");
    }
    for (int shared = 0; shared < 2; shared++) {
        worker workers[2] = {{.relay = relays[0]}, {.relay = relays[shared ? 0 : 1]}};
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, &workers[0])) abort();
        work(&workers[1]);
        pthread_join(thread, NULL);
        for (int i = 0; i < 2; i++) {
            CHECK(workers[i].wrong == 0, "worker %d", i);
            CHECK(shared || workers[i].busy == 0, "worker %d met another's call", i);
        }
        CHECK(workers[0].done + workers[1].done > 0, "nothing done");
    }
    free(places[0]);
    free(places[1]);
}
