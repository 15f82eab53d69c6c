// The kernels: everything that is computed over many packets at once.
//
// One table of function pointers, one line per kernel, chosen once. A batch is
// up to 64 lanes; bit i of `live` is lane i. A kernel reads and writes only the
// lanes of `live`; memory of other lanes is neither read nor written. Inputs
// and outputs of one call must not overlap unless it says so. Every kernel is
// constant time in the bytes it is given, and variable time in lengths, in
// `live` and in the masks it returns, unless it says otherwise. Scratch memory
// that held a secret is overwritten.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define KERNELS_NONNULL  _Nonnull
#define KERNELS_NULLABLE _Nullable
#else
#define KERNELS_NONNULL
#define KERNELS_NULLABLE
#endif

#define KERNELS_LANES_MAX    64
#define KERNELS_MATERIAL_MAX 256
#define KERNELS_TABLE_BYTES  4032
// Tables of a key whose signatures are checked again and again; 64-byte aligned.
#define KERNELS_SIGNER_BYTES   262208
#define KERNELS_VERIFIER_BYTES 196800

// Where the bytes of every lane begin: lane i's at base + stride * slot[i], or
// at base + stride * i without `slot`. For a field of a packet, base points at
// that field in slot 0.
struct kernels_lanes {
    uint8_t *KERNELS_NONNULL base;
    size_t stride;
    const uint32_t *KERNELS_NULLABLE slot;
};

// Contexts of key derivation whose context key is precomputed.
enum kernels_context {
    KERNELS_SPHINX_SECRET,
    KERNELS_SPHINX_BLINDING,
    KERNELS_PRG,
    KERNELS_TAG,
    KERNELS_PRP,
    KERNELS_PACKET_TAG,
    KERNELS_REPLY_PRP,
    KERNELS_COMMITMENT_SEED,
    KERNELS_CONTEXT_COUNT,
};

// Lanes of an alpha step.
struct kernels_alpha {
    uint64_t valid;   // alpha is a point of the curve; outputs are written for these
    uint64_t neutral; // of `valid`: the next alpha is the neutral element
};

// Lanes of a sum of points.
struct kernels_sum {
    uint64_t points; // the second term is a point
    uint64_t sums;   // of these: the sum exists; outputs are written for these
};

struct kernels {
    const char *KERNELS_NONNULL name;

    // -- Sphinx group (Ed25519's curve; points 32 B compressed, scalars 32 B
    // little-endian)

    // One node's step. alpha 32 B in; secret 32 B and next 32 B out. Points are
    // decoded as curve25519-dalek does; every point of the curve is accepted, of
    // small order too. node_scalar < l, node_public: 32 B each. Constant time in
    // the scalar, the shared point and the blinding factor; variable time in
    // alpha (it travels in the clear). next may be alpha's own memory.
    struct kernels_alpha (*KERNELS_NONNULL alpha_step)(struct kernels_lanes alpha,
                                                       const uint8_t *KERNELS_NONNULL node_scalar,
                                                       const uint8_t *KERNELS_NONNULL node_public,
                                                       struct kernels_lanes secret,
                                                       struct kernels_lanes next, uint64_t live);
    // out := scalar * point, scalar < 2^255. Returns the lanes whose point
    // decodes; only these are written. Constant time in scalar. out may be
    // point's memory.
    uint64_t (*KERNELS_NONNULL edwards_mul)(struct kernels_lanes point, struct kernels_lanes scalar,
                                            struct kernels_lanes out, uint64_t live);
    // table := what edwards_mul_table wants of a point, KERNELS_TABLE_BYTES; only a row that made a
    // table can read it. Returns the lanes whose point decodes; only these are written.
    uint64_t (*KERNELS_NONNULL edwards_table)(struct kernels_lanes point,
                                              struct kernels_lanes table, uint64_t live);
    // out := scalar * point, by a table of the point, scalar < 2^255. Lanes may share a table.
    // Constant time in scalar.
    void (*KERNELS_NONNULL edwards_mul_table)(struct kernels_lanes table,
                                              struct kernels_lanes scalar, struct kernels_lanes out,
                                              uint64_t live);
    // out := scalar * B, scalar < 2^255.
    void (*KERNELS_NONNULL edwards_mul_base)(struct kernels_lanes scalar, struct kernels_lanes out,
                                             uint64_t live);
    // out := clamp(in) mod l: the scalar of 32 random or derived bytes. out may
    // be in.
    void (*KERNELS_NONNULL scalar_clamp_reduce)(struct kernels_lanes in, struct kernels_lanes out,
                                                uint64_t live);
    // out := a * b mod l, for any a, b < 2^256. out may be a or b.
    void (*KERNELS_NONNULL scalar_mul)(struct kernels_lanes a, struct kernels_lanes b,
                                       struct kernels_lanes out, uint64_t live);

    // -- BLAKE3

    // out[0..out_bytes) := derive_key(context, salt || key);
    // salt_bytes + key_bytes <= KERNELS_MATERIAL_MAX.
    void (*KERNELS_NONNULL derive)(enum kernels_context context, struct kernels_lanes salt,
                                   size_t salt_bytes, struct kernels_lanes key, size_t key_bytes,
                                   struct kernels_lanes out, size_t out_bytes, uint64_t live);
    // out[0..32) := BLAKE3(in).
    void (*KERNELS_NONNULL blake3)(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                                   uint64_t live);
    // out[0..32) := BLAKE3 keyed with key[0..32).
    void (*KERNELS_NONNULL blake3_keyed)(struct kernels_lanes key, struct kernels_lanes in,
                                         size_t bytes, struct kernels_lanes out, uint64_t live);

    // -- Header and payload

    // out[0..out_bytes) := ChaCha20 key stream, with in[0..in_bytes) xored onto
    // its beginning; in_bytes <= out_bytes. material: nonce 12 || key 32. out may
    // be in.
    void (*KERNELS_NONNULL header_stream)(struct kernels_lanes material, struct kernels_lanes in,
                                          size_t in_bytes, struct kernels_lanes out,
                                          size_t out_bytes, uint64_t live);
    // out[0..16) := Poly1305 of in[0..bytes) extended by zeros to a multiple of
    // 16; bytes above 512 are a multiple of 16.
    void (*KERNELS_NONNULL header_mac)(struct kernels_lanes key, struct kernels_lanes in,
                                       size_t bytes, struct kernels_lanes out, uint64_t live);
    // Returns the lanes where a[0..bytes) equals b[0..bytes).
    uint64_t (*KERNELS_NONNULL equal)(struct kernels_lanes a, struct kernels_lanes b, size_t bytes,
                                      uint64_t live);
    // LIONESS over block[0..bytes) in place, bytes > 32. material: iv 24 || k1 ||
    // k2 || k3 || k4.
    void (*KERNELS_NONNULL lioness_forward)(struct kernels_lanes material,
                                            struct kernels_lanes block, size_t bytes,
                                            uint64_t live);
    void (*KERNELS_NONNULL lioness_inverse)(struct kernels_lanes material,
                                            struct kernels_lanes block, size_t bytes,
                                            uint64_t live);

    // -- Keccak

    // out[0..32) := Keccak-256(in), Ethereum's padding. out may be in.
    void (*KERNELS_NONNULL keccak256)(struct kernels_lanes in, size_t bytes,
                                      struct kernels_lanes out, uint64_t live);
    // value[0..32) := Keccak-256 applied `count` times, in place.
    void (*KERNELS_NONNULL keccak_iterate)(struct kernels_lanes value, size_t count, uint64_t live);

    // -- secp256k1 (scalars and coordinates 32 B big-endian)

    // own and ack: the two half-keys of secret[0..32).
    void (*KERNELS_NONNULL half_keys)(struct kernels_lanes secret, struct kernels_lanes own,
                                      struct kernels_lanes ack, uint64_t live);
    // out[0..64) := x || y of hash_to_curve(msg), RFC 9380 secp256k1 SSWU random
    // oracle with Keccak-256; dst_bytes <= 255. Constant time in msg.
    void (*KERNELS_NONNULL hash_to_curve)(struct kernels_lanes msg, size_t msg_bytes,
                                          const uint8_t *KERNELS_NONNULL dst, size_t dst_bytes,
                                          struct kernels_lanes out, uint64_t live);
    // out[0..64) := scalar * G. Returns the lanes whose scalar is in 1..n-1; only these are
    // written.
    uint64_t (*KERNELS_NONNULL secp_mul_base)(struct kernels_lanes scalar, struct kernels_lanes out,
                                              uint64_t live);
    // out[0..64) := scalar * G + point, point 33 B compressed. Constant time in the scalar,
    // variable time in the point. A scalar outside 1..n-1 and a sum at infinity have no sum.
    struct kernels_sum (*KERNELS_NONNULL secp_mul_base_add)(struct kernels_lanes scalar,
                                                            struct kernels_lanes point,
                                                            struct kernels_lanes out,
                                                            uint64_t live);
    // out[0..64) := scalar * point, point x || y. Returns the lanes whose scalar is in 1..n-1 and
    // whose point is on the curve; only these are written. Constant time in the scalar.
    uint64_t (*KERNELS_NONNULL secp_mul)(struct kernels_lanes point, struct kernels_lanes scalar,
                                         struct kernels_lanes out, uint64_t live);
    // out := a + b mod n. Returns the lanes where a, b and the sum are in 1..n-1; only these are
    // written. out may be a or b.
    uint64_t (*KERNELS_NONNULL secp_add_scalars)(struct kernels_lanes a, struct kernels_lanes b,
                                                 struct kernels_lanes out, uint64_t live);

    // -- ECDSA over secp256k1 (signature 64 B: r || s, s <= n/2, the parity of R in its top bit)

    // out[0..32) := the nonce of RFC 6979 with SHA-256 for a key and a hash.
    void (*KERNELS_NONNULL ecdsa_nonce)(const uint8_t *KERNELS_NONNULL key,
                                        struct kernels_lanes hash, struct kernels_lanes out,
                                        uint64_t live);
    // Signs hashes with one key; nonces are what ecdsa_nonce makes of the key and seed, 32 B a
    // lane: RFC 6979 is seed = hash. Any other seed must depend on the hash, or two hashes may get
    // one nonce, which tells the key. Returns the lanes that were signed: all, or none for a key
    // outside 1..n-1; only these are written. Constant time in key, seed and nonce.
    uint64_t (*KERNELS_NONNULL ecdsa_sign)(const uint8_t *KERNELS_NONNULL key,
                                           struct kernels_lanes hash, struct kernels_lanes seed,
                                           struct kernels_lanes signature, uint64_t live);
    // table := what ecdsa_verify wants of a signer's point x || y, KERNELS_SIGNER_BYTES; only a row
    // that made a table can read it. Returns the lanes whose point is on the curve; only these are
    // written. Variable time.
    uint64_t (*KERNELS_NONNULL ecdsa_table)(struct kernels_lanes point, struct kernels_lanes table,
                                            uint64_t live);
    // Returns the lanes whose signature is the signer's: those from which recovery with the parity
    // bit leads to the table's point. Lanes may share a table. Variable time.
    uint64_t (*KERNELS_NONNULL ecdsa_verify)(struct kernels_lanes table, struct kernels_lanes hash,
                                             struct kernels_lanes signature, uint64_t live);

    // -- Ed25519 signatures

    // signature[0..64) of message[0..bytes), bytes <= 64. key: seed 32 || public key 32, for all
    // lanes. Constant time in the key; the message may be secret too.
    void (*KERNELS_NONNULL ed25519_sign)(const uint8_t *KERNELS_NONNULL key,
                                         struct kernels_lanes message, size_t bytes,
                                         struct kernels_lanes signature, uint64_t live);
    // table := what ed25519_verify wants of a public key, KERNELS_VERIFIER_BYTES; only a row that
    // made a table can read it. Returns the lanes whose key libsodium takes: a point, reduced, not
    // of small order; only these are written. Variable time.
    uint64_t (*KERNELS_NONNULL ed25519_table)(struct kernels_lanes key, struct kernels_lanes table,
                                              uint64_t live);
    // Returns the lanes whose signature of message[0..bytes), bytes <= 64, libsodium takes for the
    // table's key. Lanes may share a table. Variable time.
    uint64_t (*KERNELS_NONNULL ed25519_verify)(struct kernels_lanes table,
                                               struct kernels_lanes message, size_t bytes,
                                               struct kernels_lanes signature, uint64_t live);

    // -- SHA-2

    // out[0..32) := SHA-256(in), out[0..64) := SHA-512(in). out may be in.
    void (*KERNELS_NONNULL sha256)(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                                   uint64_t live);
    void (*KERNELS_NONNULL sha512)(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                                   uint64_t live);
};

// The table of this machine, chosen at the first call; every later call returns
// the same one, unless kernels_use puts another in its place. DRAY_CPU names a
// row (scalar, portable, avx512); unless kernels_status() is KERNELS_OK the
// portable row serves.
const struct kernels *KERNELS_NONNULL kernels_best(void);
// The row of a name; NULL if there is none or this machine cannot run it.
const struct kernels *KERNELS_NULLABLE kernels_row(const char *KERNELS_NONNULL name);
// Makes that row the table in use and returns it; NULL, and nothing is changed,
// where kernels_row gives none. For tests and benchmarks: while another thread
// computes, nobody can say with which row.
const struct kernels *KERNELS_NULLABLE kernels_use(const char *KERNELS_NONNULL name);

enum kernels_status {
    KERNELS_OK,          // the best row, or the row that DRAY_CPU names
    KERNELS_UNKNOWN,     // DRAY_CPU names no row
    KERNELS_UNAVAILABLE, // DRAY_CPU names a row that this build or machine cannot
                         // run
};
enum kernels_status kernels_status(void);
// What it would be if DRAY_CPU were `name`; NULL and "" are no wish.
enum kernels_status kernels_status_of(const char *KERNELS_NULLABLE name);

// -- One message at a time, any length: control plane, and the scalar row's own
// parts.

void kernels_blake3(const uint8_t *KERNELS_NULLABLE in, size_t bytes, uint8_t *KERNELS_NONNULL out,
                    size_t out_bytes);
void kernels_blake3_keyed(const uint8_t *KERNELS_NONNULL key, const uint8_t *KERNELS_NULLABLE in,
                          size_t bytes, uint8_t *KERNELS_NONNULL out, size_t out_bytes);
void kernels_blake3_derive(const uint8_t *KERNELS_NULLABLE context, size_t context_bytes,
                           const uint8_t *KERNELS_NULLABLE in, size_t bytes,
                           uint8_t *KERNELS_NONNULL out, size_t out_bytes);
void kernels_keccak256(const uint8_t *KERNELS_NULLABLE in, size_t bytes,
                       uint8_t *KERNELS_NONNULL out);
void kernels_sha3_256(const uint8_t *KERNELS_NULLABLE in, size_t bytes,
                      uint8_t *KERNELS_NONNULL out);
// expand_message_xmd of RFC 9380; out_bytes <= 8160, dst_bytes <= 255.
void kernels_expand_keccak256(const uint8_t *KERNELS_NULLABLE msg, size_t msg_bytes,
                              const uint8_t *KERNELS_NONNULL dst, size_t dst_bytes,
                              uint8_t *KERNELS_NONNULL out, size_t out_bytes);
void kernels_expand_sha3_256(const uint8_t *KERNELS_NULLABLE msg, size_t msg_bytes,
                             const uint8_t *KERNELS_NONNULL dst, size_t dst_bytes,
                             uint8_t *KERNELS_NONNULL out, size_t out_bytes);
// out[0..32) := in[0..48) mod n, secp256k1's group order; big-endian, constant
// time.
void kernels_secp256k1_reduce48(const uint8_t *KERNELS_NONNULL in, uint8_t *KERNELS_NONNULL out);
