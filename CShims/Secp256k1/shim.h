#pragma once
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <string.h>

// What Swift cannot spell: callbacks, and the compact form of a signature (EIP-2098: r ‖ s, the top
// bit of s carries the parity of R). Every function returns 1 or 0. Points are secp256k1_pubkey.

// Points are kept by the caller as 64 opaque bytes.
_Static_assert(sizeof(secp256k1_pubkey) == 64, "opaque point");

// libsecp256k1 aborts on misuse by default; here the call just fails.
static inline void secp_ignore_misuse(const char *_Nonnull message, void *_Nullable data) {
    (void)message;
    (void)data;
}

static inline secp256k1_context *_Nullable secp_context_new(void) {
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    secp256k1_context_set_illegal_callback(context, secp_ignore_misuse, NULL);
    return context;
}

static inline size_t secp_context_size(void) {
    return secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE);
}

static inline secp256k1_context *_Nonnull secp_context_place(void *_Nonnull memory) {
    secp256k1_context *context =
        secp256k1_context_preallocated_create(memory, SECP256K1_CONTEXT_NONE);
    secp256k1_context_set_illegal_callback(context, secp_ignore_misuse, NULL);
    return context;
}

// The nonce of RFC 6979, of the seed in the hash's place.
static inline int secp_nonce(unsigned char *_Nonnull nonce, const unsigned char *_Nonnull hash,
                             const unsigned char *_Nonnull key,
                             const unsigned char *_Nullable algorithm, void *_Nullable seed,
                             unsigned int counter) {
    (void)hash;
    return secp256k1_nonce_function_rfc6979(nonce, seed, key, algorithm, NULL, counter);
}

// Low s; the nonce is made of key and seed, which is the hash for RFC 6979. signature: 64 bytes.
static inline int secp_sign(const secp256k1_context *_Nonnull context,
                            unsigned char *_Nonnull signature, const unsigned char *_Nonnull hash,
                            const unsigned char *_Nonnull seed, const unsigned char *_Nonnull key) {
    secp256k1_ecdsa_recoverable_signature parts;
    int parity = 0;
    if (!secp256k1_ecdsa_sign_recoverable(context, &parts, hash, key, secp_nonce, seed)) return 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context, signature, &parity, &parts);
    signature[32] |= (unsigned char)((parity & 1) << 7);
    return 1;
}

// Splits a compact signature; refuses s > n/2. Variable time: signatures are public.
static inline int secp_split(unsigned char *_Nonnull rs, int *_Nonnull parity,
                             const unsigned char *_Nonnull signature) {
    static const unsigned char half[32] = {
        0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
        0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
    };
    memcpy(rs, signature, 64);
    *parity = rs[32] >> 7;
    rs[32] &= 0x7f;
    return memcmp(rs + 32, half, 32) <= 0;
}

// The signer's public key. r with x >= n is tried second, as the format wants.
static inline int secp_recover(const secp256k1_context *_Nonnull context,
                               secp256k1_pubkey *_Nonnull point,
                               const unsigned char *_Nonnull signature,
                               const unsigned char *_Nonnull hash) {
    unsigned char rs[64];
    int parity;
    if (!secp_split(rs, &parity, signature)) return 0;
    for (int id = parity; id < 4; id += 2) {
        secp256k1_ecdsa_recoverable_signature parts;
        if (secp256k1_ecdsa_recoverable_signature_parse_compact(context, &parts, rs, id) &&
            secp256k1_ecdsa_recover(context, point, &parts, hash))
            return 1;
    }
    return 0;
}

// Plain ECDSA against a known key; says nothing about the parity bit.
static inline int secp_verify(const secp256k1_context *_Nonnull context,
                              const unsigned char *_Nonnull signature,
                              const unsigned char *_Nonnull hash,
                              const secp256k1_pubkey *_Nonnull point) {
    unsigned char rs[64];
    int parity;
    secp256k1_ecdsa_signature parts;
    if (!secp_split(rs, &parity, signature)) return 0;
    return secp256k1_ecdsa_signature_parse_compact(context, &parts, rs) &&
           secp256k1_ecdsa_verify(context, &parts, hash, point);
}

static inline int secp_keep_affine(unsigned char *_Nonnull output, const unsigned char *_Nonnull x,
                                   const unsigned char *_Nonnull y, void *_Nullable data) {
    (void)data;
    memcpy(output, x, 32);
    memcpy(output + 32, y, 32);
    return 1;
}

// x ‖ y of scalar · point, constant time in the scalar (secp256k1_ec_pubkey_tweak_mul is not).
static inline int secp_multiply(const secp256k1_context *_Nonnull context,
                                unsigned char *_Nonnull affine,
                                const secp256k1_pubkey *_Nonnull point,
                                const unsigned char *_Nonnull scalar) {
    return secp256k1_ecdh(context, affine, point, scalar, secp_keep_affine, NULL);
}

// x ‖ y or 33 bytes of a point.
static inline int secp_affine(const secp256k1_context *_Nonnull context,
                              unsigned char *_Nonnull affine,
                              const secp256k1_pubkey *_Nonnull point) {
    unsigned char bytes[65];
    size_t count = sizeof bytes;
    if (!secp256k1_ec_pubkey_serialize(context, bytes, &count, point, SECP256K1_EC_UNCOMPRESSED))
        return 0;
    memcpy(affine, bytes + 1, 64);
    return 1;
}

static inline int secp_compressed(const secp256k1_context *_Nonnull context,
                                  unsigned char *_Nonnull compressed,
                                  const secp256k1_pubkey *_Nonnull point) {
    size_t count = 33;
    return secp256k1_ec_pubkey_serialize(
        context, compressed, &count, point, SECP256K1_EC_COMPRESSED);
}

static inline int secp_parse_affine(const secp256k1_context *_Nonnull context,
                                    secp256k1_pubkey *_Nonnull point,
                                    const unsigned char *_Nonnull affine) {
    unsigned char bytes[65];
    bytes[0] = 4;
    memcpy(bytes + 1, affine, 64);
    return secp256k1_ec_pubkey_parse(context, point, bytes, sizeof bytes);
}

// 02 or 03 and x; the library takes nothing else at 33 bytes.
static inline int secp_parse_compressed(const secp256k1_context *_Nonnull context,
                                        secp256k1_pubkey *_Nonnull point,
                                        const unsigned char *_Nonnull compressed) {
    return secp256k1_ec_pubkey_parse(context, point, compressed, 33);
}

// a + b; 0 for the point at infinity.
static inline int secp_add(const secp256k1_context *_Nonnull context,
                           secp256k1_pubkey *_Nonnull sum, const secp256k1_pubkey *_Nonnull a,
                           const secp256k1_pubkey *_Nonnull b) {
    const secp256k1_pubkey *const terms[2] = {a, b};
    return secp256k1_ec_pubkey_combine(context, sum, terms, 2);
}
