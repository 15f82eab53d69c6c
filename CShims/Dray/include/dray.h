/* Dray's relay engine for embedding: packets in; packets, acknowledgements and tickets out.
 *
 * A relay is a context in memory that the caller gives and keeps: no call allocates (but for a few
 * kilobytes that the language's runtime takes for itself when it is first used), no callback is
 * called, no file, clock, socket or source of randomness is touched. The library has no state
 * outside contexts but the table of kernels, chosen once for the processor.
 *
 *     dray_config config;
 *     dray_config_init(&config, "head");
 *     size_t size = dray_relay_size(&config);
 *     void *memory = aligned_alloc(64, size);
 *     dray_relay *relay;
 *     dray_relay_init(memory, size, &config, seed, NULL, 0, &relay);
 *     dray_relay_set_identity(relay, &identity, NULL);
 *     dray_relay_set_policy(relay, &policy);
 *     dray_relay_set_tables(relay, nodes, node_count, channels, channel_count);
 *     for (;;) {
 *         dray_relay_process(relay, packets, stride, count, lengths, from, now, random, results);
 *         ... send packets with action DRAY_FORWARD, queue keys of results with `acknowledge` ...
 *         while (dray_relay_next_report(relay, &report, payload, sizeof payload) == 1) ...
 *         dray_relay_expire(relay, now);
 *     }
 *
 * Threads: contexts are independent. One context serves one thread at a time; a call that meets
 * another one in the same context returns DRAY_ERROR_BUSY and does nothing. A call takes up to
 * 512 kB of the thread's stack.
 *
 * Errors: functions that return dray_status give 0 or a positive number for success and a negative
 * one for an error, in which case nothing has changed unless the function says otherwise. Wrong
 * arguments (NULL, counts, sizes, alignment, numbers out of range) are errors, never a trap. Memory
 * shorter than its stated size, and a pointer to something that is no context, cannot be told from
 * a good one.
 *
 * Integers are in the host's byte order; byte arrays are as on the wire. Times are nanoseconds of
 * any clock that does not go back. Every pointer is used during the call only, the context's memory
 * and `replay_memory` excepted. Reserved fields must be zero.
 */
#ifndef DRAY_H
#define DRAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface: functions and fields are only added within one version. */
#define DRAY_ABI_VERSION 1

/* Result of a call; see dray_strerror. */
typedef int32_t dray_status;

#define DRAY_OK          0    /* done */
#define DRAY_ERROR_NULL  (-1) /* a pointer that must not be NULL is */
#define DRAY_ERROR_ALIGN (-2) /* context memory is not on a 64-byte boundary */
#define DRAY_ERROR_SIZE  (-3) /* memory, stride or buffer is too small */
#define DRAY_ERROR_RANGE (-4) /* a number is out of its range */
#define DRAY_ERROR_STATE (-5) /* no context, or identity or tables have not been set */
#define DRAY_ERROR_KEY   (-6) /* a key is no key */
#define DRAY_ERROR_NODE  (-7) /* no such node in the table */
#define DRAY_ERROR_BUSY  (-8) /* another thread is inside the context */
#define DRAY_ERROR_FULL  (-9) /* no room in a table */
#define DRAY_ERROR_REPLAY                                                                          \
    (-10) /* the replay memory holds something else, or a set of another size */

/* Sizes that no profile changes. */
#define DRAY_BATCH_MAX       64         /* packets that go through the stages together */
#define DRAY_TICKET_BYTES    132        /* a ticket */
#define DRAY_ACK_BYTES       96         /* an acknowledgement: half-key 32, Ed25519 signature 64 */
#define DRAY_PACKET_OVERHEAD 421        /* a packet is this and its payload block */
#define DRAY_NONE            UINT32_MAX /* no channel, no node */

/* 128-bit amount of money. */
typedef struct dray_amount {
    uint64_t high;
    uint64_t low;
} dray_amount;

/* A relay context. Lives in the caller's memory; must not be moved or copied. */
typedef struct dray_relay dray_relay;

/* What a context is made for; fixed for its life. Fill it with dray_config_init, then change it. */
typedef struct dray_config {
    /* payload block: 1040 (head), 1038 (v4), 3248 (mix13); 512...16384 */
    uint32_t payload_bytes;
    /* reply block in messages: 395, 401 or 402 */
    uint32_t surb_bytes;
    /* first four bytes of the redeeming call, part of every ticket hash */
    uint32_t ticket_selector;
    /* 1: a packet whose next alpha is the neutral element is dropped */
    uint8_t refuse_neutral_alpha;
    /* 1: decodable packets that are refused get a random key; default 0 */
    uint8_t ack_on_reject;
    /* 1: each response's challenge is opened again before it is reported */
    uint8_t recheck_responses;
    /* 1: the replay set lies in memory of its own, given to dray_relay_init */
    uint8_t replay_outside;
    /* most random keys for one neighbour in a second */
    uint32_t reject_answers_per_second;
    /* rows of the node table, at most 2^20 */
    uint32_t nodes_max;
    /* slots for channels, at most 2^16; 32 KiB each */
    uint32_t channels_max;
    /* acknowledgements awaited at a time, at most 2^24; 208 bytes each; with millions of them,
     * give memory on huge pages */
    uint32_t unacked_max;
    /* replay tags, at most 2^34; about 4.3 bytes each; never forgotten */
    uint64_t replay_max;
    /* ring of reports: a power of two, 2^16...2^30 */
    uint64_t report_bytes;
    /* how long an acknowledgement is awaited */
    uint64_t ack_ttl_ns;
    /* random: key of the tables that remote data address */
    uint8_t hash_key[16];
    /* memory for tables of keys, by which signatures are checked faster; 0: none, at most 2^36.
     * Issuers of tickets 256 KiB each, neighbours that acknowledge 148 KiB each; no more than
     * there are channels and nodes. Default 64 MiB for both, touched as tables are built. */
    uint64_t issuer_table_bytes;
    uint64_t neighbour_table_bytes;
} dray_config;

/* Who the relay is. */
typedef struct dray_identity {
    uint32_t key_id;         /* id of the packet key on the register */
    uint8_t packet_seed[32]; /* Ed25519 seed of the packet key; secret */
    uint8_t chain_key[32];   /* secp256k1 scalar, big-endian; secret */
    uint8_t domain[32];      /* EIP-712 domain separator of the settlement layer */
} dray_identity;

/* What the relay asks for and pays. Probabilities are 56-bit numbers, 2^56 - 1 is always. */
typedef struct dray_policy {
    dray_amount price;          /* of one hop; below 10^25 */
    dray_amount minimum_amount; /* smallest incoming ticket */
    uint64_t win_probability;   /* of our own tickets, or the incoming one's if that is larger */
    uint64_t win_probability_least; /* smallest taken; a difference of 10^-8 does not count */
} dray_policy;

/* A node of the network; ourselves left out. */
typedef struct dray_node {
    uint32_t key_id;
    uint8_t packet_key[32]; /* Ed25519 public key */
    uint8_t chain_address[20];
} dray_node;

enum { DRAY_INCOMING = 0, DRAY_OUTGOING = 1 };
enum { DRAY_CLOSED = 0, DRAY_WAITING = 1, DRAY_OPEN = 2, DRAY_PENDING_TO_CLOSE = 3 };

/* A channel. Its slot is the caller's choice and its name in reports; what the relay counts in a
 * slot (index window, reservations, next index) lives on when tables are replaced, and begins anew
 * when the slot gets another peer, direction or channel epoch. */
typedef struct dray_channel {
    uint32_t slot;           /* below channels_max, used once */
    uint8_t direction;       /* DRAY_INCOMING: the peer pays us */
    uint8_t status;          /* DRAY_CLOSED... */
    uint8_t commitment_rule; /* 1: tickets are hashed under the ticket epoch too; 0: VRF rule */
    uint8_t stopped;         /* 1: no tickets are taken (our commitment is not the chain's) */
    uint8_t peer[20];        /* chain address of the other end */
    uint32_t channel_epoch;  /* below 2^24 */
    uint32_t ticket_epoch;   /* counts commitments */
    dray_amount balance;     /* in the channel, as seen on chain; below 2^127 */
    dray_amount reserved;    /* new slots: held for tickets that were stored before; below 2^127 */
    uint64_t index_floor;    /* incoming: indices below are decided; only ever raised */
    uint64_t next_index;     /* outgoing, new slots: next index to issue */
    uint64_t index_limit;    /* outgoing: first index not reserved durably; only ever raised */
} dray_channel;

/* What became of a packet. */
enum {
    DRAY_DROPPED = 0,   /* refused: verdict says why */
    DRAY_FORWARD = 1,   /* accepted: the slot now holds the packet for next_key_id */
    DRAY_DELIVERED = 2, /* ended here: a report holds its payload */
    DRAY_ACKS = 3       /* carried acknowledgements, which were taken */
};

typedef struct dray_result {
    uint32_t verdict;     /* 0, or a drop code: dray_drop_name */
    uint32_t action;      /* DRAY_DROPPED... */
    uint32_t next_key_id; /* where a forwarded packet goes, else DRAY_NONE */
    uint32_t acknowledge; /* 1: ack_key must be sent to the previous hop */
    uint8_t ack_key[32];  /* half-key of the acknowledgement */
} dray_result;

enum {
    DRAY_REPORT_LOCKED = 1,      /* a ticket is held: channel, index, at_ns */
    DRAY_REPORT_UNLOCKED = 2,    /* store it: channel, ticket, response, at_ns */
    DRAY_REPORT_RELEASED = 3,    /* a held ticket is void: channel, index, amount, reason */
    DRAY_REPORT_DELIVERY = 4,    /* key_id, sender_id, is_reply, ack_key, payload, at_ns */
    DRAY_REPORT_ACKNOWLEDGED = 5 /* a packet of our own was acknowledged: key_id, hint */
};

typedef struct dray_report {
    uint32_t kind;    /* DRAY_REPORT_... */
    uint32_t channel; /* slot */
    uint32_t key_id;  /* neighbour */
    uint32_t reason;  /* drop code */
    uint64_t index;
    dray_amount amount;
    uint64_t at_ns;
    uint64_t payload_bytes; /* of a delivery; 0 for the others */
    uint8_t is_reply;       /* the payload must be opened with the opener of sender_id */
    uint8_t ticket[DRAY_TICKET_BYTES];
    uint8_t response[32];
    uint8_t ack_key[32]; /* of a reply: acknowledge it when it has been opened */
    uint8_t sender_id[18];
    uint8_t hint[33];
} dray_report;

/* What the relay counts in a channel, for saving. */
typedef struct dray_channel_state {
    dray_amount reserved;
    uint64_t index_floor;
    uint64_t index_top; /* incoming: one above the highest index taken */
    uint64_t next_index;
    uint64_t index_limit;
} dray_channel_state;

/* Whose tables: issuers of tickets, or neighbours that acknowledge. */
enum { DRAY_ISSUERS = 0, DRAY_NEIGHBOURS = 1 };

/* Tables of one kind, and signatures checked with a table and without. */
typedef struct dray_table_counts {
    uint64_t used;
    uint64_t capacity;
    uint64_t evictions;
    uint64_t hits;
    uint64_t misses;
} dray_table_counts;

/* --- the library -------------------------------------------------------------------------------
 */

/* DRAY_ABI_VERSION of the library. */
uint32_t dray_abi_version(void);

/* What a status means, in English; never NULL. */
const char *dray_strerror(dray_status status);

/* Stable name of a drop code ("headerMac"); NULL for a number that is none. Codes count from 0. */
const char *dray_drop_name(uint32_t code);

/* Name of the kernel table in use ("portable"). */
const char *dray_kernels_name(void);

/* --- configuration -----------------------------------------------------------------------------
 */

/* Defaults of a profile: "head", "v4" or "mix13". DRAY_ERROR_RANGE for another name. */
dray_status dray_config_init(dray_config *config, const char *profile);

/* Bytes of a context; 0 if the configuration is not valid. */
size_t dray_relay_size(const dray_config *config);

/* Bytes of a replay set for a number of tags; 0 if that is out of range. */
size_t dray_replay_size(uint64_t replay_max);

/* Bytes of a packet; 0 if the configuration is not valid. */
size_t dray_packet_size(const dray_config *config);

/* --- a context ---------------------------------------------------------------------------------
 */

/* Makes a context in `memory`: `size` bytes, at least dray_relay_size, on a 64-byte boundary. What
 * was there is overwritten. `seed` is 32 random bytes. `*relay` is the context on success.
 *
 * With config->replay_outside the replay set lies in `replay`: `replay_size` bytes, at least
 * dray_replay_size, 64-byte aligned, zero at first, and kept as long as the context. Mapped from a
 * file it survives restarts. Without, both are ignored. */
dray_status dray_relay_init(void *memory, size_t size, const dray_config *config,
                            const uint8_t *seed, void *replay, size_t replay_size,
                            dray_relay **relay);

/* Overwrites the context with zeros; it must not be used afterwards. */
dray_status dray_relay_wipe(dray_relay *relay);

/* Sets who the relay is. `previous`, or NULL: a packet key that is still served for its grace; only
 * its key_id and packet_seed are used. Takes effect with the next call. */
dray_status dray_relay_set_identity(dray_relay *relay, const dray_identity *current,
                                    const dray_identity *previous);

/* Sets prices and probabilities. */
dray_status dray_relay_set_policy(dray_relay *relay, const dray_policy *policy);

/* Replaces node table and channels as a whole; the identity must have been set. Needed again after
 * dray_relay_set_identity with another chain key. An error leaves the old tables. Builds tables of
 * new keys, a few milliseconds each: of neighbours with channels, and of issuers whose tickets were
 * taken before. */
dray_status dray_relay_set_tables(dray_relay *relay, const dray_node *nodes, size_t node_count,
                                  const dray_channel *channels, size_t channel_count);

/* Takes `count` packets, at most 2^16, in batches of DRAY_BATCH_MAX; verdicts are those of the
 * packets one by one, in order.
 *
 *   packets   packet i begins at packets + i * stride; forwarded ones are changed in place, dropped
 *             ones may hold anything afterwards. `stride` is at least dray_packet_size.
 *   lengths   bytes received for each; NULL: all have dray_packet_size. Another length is a
 * verdict. from      key id of each packet's previous hop. random    32 random bytes, mixed into
 * the context's generator; NULL for none. results   one for each packet.
 */
dray_status dray_relay_process(dray_relay *relay, void *packets, size_t stride, size_t count,
                               const uint32_t *lengths, const uint32_t *from, uint64_t now_ns,
                               const uint8_t *random, dray_result *results);

/* Takes `count` acknowledgements (DRAY_ACK_BYTES each) from a neighbour that came another way than
 * in packets. Bad ones are counted; what good ones open is reported. */
dray_status dray_relay_acknowledge(dray_relay *relay, uint32_t key_id, const uint8_t *acks,
                                   size_t count, uint64_t now_ns);

/* Makes a packet that acknowledges to a neighbour with `count` keys (32 bytes each) of results; as
 * many as the payload has room for: 10, or 33 in mix13. `packet` has `size` bytes, at least
 * dray_packet_size. */
dray_status dray_relay_make_ack_packet(dray_relay *relay, uint32_t key_id, const uint8_t *ack_keys,
                                       size_t count, void *packet, size_t size);

/* Remembers a packet of the caller's own, so that its acknowledgement is recognised:
 * `ack_challenge` is the compressed point (33 bytes) that it opens. */
dray_status dray_relay_register_sent(dray_relay *relay, uint32_t key_id,
                                     const uint8_t *ack_challenge, uint64_t now_ns);

/* Voids tickets whose acknowledgement did not come in time; some at each call. */
dray_status dray_relay_expire(dray_relay *relay, uint64_t now_ns);

/* Takes the oldest report: 1 if there was one, 0 if not. A delivery's payload is copied to
 * `payload`; if `capacity` is too small, the result is DRAY_ERROR_SIZE, report->payload_bytes says
 * how much is needed, and the report stays. While nobody takes reports, packets are refused as
 * storeFull and deliveryFull. May build the table of a key that was met without one, which takes a
 * few milliseconds. */
dray_status dray_relay_next_report(dray_relay *relay, dray_report *report, void *payload,
                                   size_t capacity);

/* --- channels ----------------------------------------------------------------------------------
 */

/* Gives back the reservation of a ticket that is lost, void or redeemed. */
dray_status dray_relay_release(dray_relay *relay, uint32_t slot, dray_amount amount);

/* Incoming: indices below `floor` are decided. Outgoing: indices below `limit` are reserved
 * durably. */
dray_status dray_relay_raise_floor(dray_relay *relay, uint32_t slot, uint64_t floor);
dray_status dray_relay_raise_limit(dray_relay *relay, uint32_t slot, uint64_t limit);

/* What the relay counts in a channel. */
dray_status dray_relay_channel_state(dray_relay *relay, uint32_t slot, dray_channel_state *state);

/* --- numbers -----------------------------------------------------------------------------------
 */

/* Packets (and acknowledgements) dropped with a code; 0 for a number that is none. */
uint64_t dray_relay_drops(dray_relay *relay, uint32_t code);

/* Tags in the replay set, and acknowledgements awaited. */
uint64_t dray_relay_replay_count(dray_relay *relay);
uint64_t dray_relay_unacked_count(dray_relay *relay);

/* Numbers of DRAY_ISSUERS or DRAY_NEIGHBOURS. */
dray_status dray_relay_table_counts(dray_relay *relay, uint32_t kind, dray_table_counts *counts);

#ifdef __cplusplus
}
#endif

#endif
