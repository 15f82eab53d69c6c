#pragma once

#include <stddef.h>
#include <stdint.h>

// What measuring needs of the system. Every function that returns an int returns >= 0, or -errno.
// Addresses are IPv4, in host order.

struct load_address {
    uint32_t ip;
    uint16_t port;
};

// A UDP socket that speaks for every local address: trains of equal datagrams go out by
// UDP_SEGMENT, trains that come stay together by UDP_GRO.

struct load_socket;

struct load_arrival {
    const uint8_t *_Nonnull bytes;
    uint32_t byte_count;
    uint32_t segment_bytes; // of each datagram but the last
    struct load_address from;
    uint32_t to_ip;
};

struct load_counts {
    uint64_t sent;     // datagrams the kernel took
    uint64_t refused;  // datagrams it did not take
    uint64_t received; // datagrams
    uint64_t calls;    // system calls
};

// Most datagrams of a train, and most trains between two load_flush.
enum : uint32_t { LOAD_SEGMENTS_MAX = 44, LOAD_TRAINS_MAX = 64, LOAD_ARRIVALS_MAX = 32 };

// Binds a port of every local address. `segments` is the length of trains: 1 sends singly.
int load_open(uint16_t port, uint32_t buffer_bytes, uint32_t segments,
              struct load_socket *_Nullable *_Nonnull out);
void load_close(struct load_socket *_Nonnull socket);
uint16_t load_port(const struct load_socket *_Nonnull socket);
// Datagrams that the kernel dropped because nobody took them in time.
uint64_t load_drops(const struct load_socket *_Nonnull socket);
void load_read(const struct load_socket *_Nonnull socket, struct load_counts *_Nonnull out);
// Queues a datagram, whose bytes must stay until load_flush. It joins the last train if that has
// the same addresses and length.
void load_put(struct load_socket *_Nonnull socket, uint32_t from_ip, struct load_address to,
              const void *_Nonnull bytes, uint32_t byte_count);
// Queues a train: datagrams of `segment_bytes` side by side, which must stay until load_flush.
void load_put_train(struct load_socket *_Nonnull socket, uint32_t from_ip, struct load_address to,
                    const void *_Nonnull bytes, uint32_t byte_count, uint32_t segment_bytes);
// Sends what is queued.
void load_flush(struct load_socket *_Nonnull socket);
// Takes what has come, at most `max` trains, without waiting; they stay until the next call.
int load_take(struct load_socket *_Nonnull socket, struct load_arrival *_Nonnull out, uint32_t max);

// CPUs that a thread may run on.
struct load_cpus {
    uint64_t bits[16];
};

// Ties the calling thread to one CPU; `before` learns what it was tied to.
int load_pin(int cpu, struct load_cpus *_Nonnull before);
// Ties it to what it was tied to before.
void load_unpin(const struct load_cpus *_Nonnull before);
// A thread of this process by its name; 0 if there is none.
int load_thread(const char *_Nonnull name);
// Processor time that a thread has used, in nanoseconds; 0 if it is gone.
uint64_t load_thread_nanos(int thread);
// Bytes of memory that the process holds.
uint64_t load_resident(void);

// The bare forwarder: what a plain program reaches that opens each datagram of one link and seals
// it for another. No relay can be faster on the same machine.
//
// A datagram is `04 00 00 00 ‖ index u32 ‖ counter u64 ‖ ciphertext ‖ tag 16`, numbers little
// endian; its nonce is four zeros and the counter. It leaves with the counter it came with, for
// one destination after the other.

enum bare_cipher : uint32_t { BARE_SODIUM = 0, BARE_CRYPTO = 1 };
enum : uint32_t { BARE_OUTS_MAX = 64, BARE_HEAD_BYTES = 16, BARE_TAG_BYTES = 16 };

struct bare_config {
    enum bare_cipher cipher;
    uint32_t datagram_bytes;
    uint32_t buffer_bytes; // of its socket
    uint32_t outs;         // destinations
    uint8_t key_in[32];
    uint8_t key_out[32];
};

struct bare_report {
    uint64_t received;  // datagrams
    uint64_t forged;    // of a wrong length, or that did not open
    uint64_t forwarded; // handed to the kernel
    uint64_t refused;   // not taken by it
    uint64_t calls;     // system calls
};

struct bare;

// Binds a port of the loopback address.
int bare_open(const struct bare_config *_Nonnull config, const struct load_address *_Nonnull outs,
              struct bare *_Nullable *_Nonnull out);
void bare_close(struct bare *_Nonnull bare);
uint16_t bare_port(const struct bare *_Nonnull bare);
uint64_t bare_drops(const struct bare *_Nonnull bare);
// Forwards in the calling thread until `datagrams` have come or bare_stop was called.
int bare_run(struct bare *_Nonnull bare, uint64_t datagrams);
// Ends bare_run, from any thread.
void bare_stop(struct bare *_Nonnull bare);
// 1 when bare_run has ended and touches nothing any more.
int bare_is_done(const struct bare *_Nonnull bare);
// What happened so far, from any thread.
void bare_read(const struct bare *_Nonnull bare, struct bare_report *_Nonnull out);

// One datagram as the forwarder's neighbours make it, in place: `bytes` of `datagram_bytes`, the
// plaintext at BARE_HEAD_BYTES.
int bare_seal(enum bare_cipher cipher, const uint8_t *_Nonnull key, uint32_t index,
              uint64_t counter, uint8_t *_Nonnull bytes, uint32_t datagram_bytes);
// Opens one in place; -EBADMSG if it is forged.
int bare_check(enum bare_cipher cipher, const uint8_t *_Nonnull key, uint8_t *_Nonnull bytes,
               uint32_t datagram_bytes);
