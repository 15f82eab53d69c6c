// Nonces of RFC 6979 with SHA-256, LANES32 at once under one key.
//
// Differs from the library in what it computes again: nothing that all lanes or all messages under
// one HMAC key share. notes.md counts.
#include "../lanes/pass.h"
#include "../rows.h"
#include "../sha2/hmac256.h"

// The states of HMAC's two blocks under the key 0.
static const uint32_t zero_inner[8] = {
    0xf454dead,
    0x9725214f,
    0x90daf2a0,
    0xdf1228ea,
    0x64e5750f,
    0xa3924181,
    0x824a932b,
    0xf8e04e32,
};
static const uint32_t zero_outer[8] = {
    0xd385480f,
    0x7abb6477,
    0x37c9c538,
    0x5dd82467,
    0x8e043a72,
    0x753434b0,
    0xdeb82818,
    0x361d45a6,
};
#define VALUE_START 0x01010101 // every word of the first V

// 2^256 - n, the highest word first.
static const uint32_t above_order[8] = {
    0,
    0,
    0,
    1,
    0x45512319,
    0x50b75fc4,
    0x402da173,
    0x2fc9bebf,
};

// A seed is V || tag || key || hash mod n, in two blocks that the key is cut by.
struct seed {
    vec32 first[8]; // what the first seed's first block leads to; the same in all lanes
    vec32 key[8];   // tag 0 || key[0..31)
    vec32 last;     // key[31], at the second block's beginning
    // One pass's.
    vec32 block[16]; // the second block
    vec32 state[8], value[8];
    struct hmac256 hmac;
};

#define EIGHT(i) for (int i = 0; i < 8; i++)

// The state after V || tag || key[0..31).
INLINE void seed_block(vec32 state[8], const vec32 value[8], uint32_t tag, const vec32 key[8]) {
    vec32 words[16];
    EIGHT(i) words[i] = value[i], words[8 + i] = key[i];
    words[8] = vec32_or(words[8], vec32_set(tag << 24));
    sha256_compress(state, words);
}

PASS void seed_key(struct seed *seed, const uint8_t *key) {
    uint8_t bytes[32] = {0};
    memcpy(bytes + 1, key, 31);
    EIGHT(i) seed->key[i] = vec32_swap_bytes(vec32_set(load32(bytes + 4 * i)));
    seed->last = vec32_set((uint32_t)key[31] << 24);
    EIGHT(i) seed->value[i] = vec32_set(VALUE_START), seed->first[i] = vec32_set(zero_inner[i]);
    seed_block(seed->first, seed->value, 0, seed->key);
}

// h := h mod n, for any h below 2^256.
INLINE void seed_reduce(vec32 h[8]) {
    vec32 less[8], carry = vec32_set(0);
    for (int i = 7; i >= 0; i--) {
        vec32 add = vec32_set(above_order[i]);
        less[i] = vec32_add(vec32_add(h[i], add), carry);
        // A bit carries where two of these have it: h, what is added, what is not in the sum.
        vec32 none = vec32_xor(less[i], vec32_set(UINT32_MAX));
        carry = vec32_shr(vec32_majority(h[i], add, none), 31);
    }
    // h + 2^256 - n reaches 2^256 exactly if h reaches n.
    vec32 reaches = vec32_mask_of(carry);
    EIGHT(i) h[i] = vec32_choose(reaches, less[i], h[i]);
}

// key[31] || hash, and the padding of a message of one block and 97 bytes.
INLINE void seed_hash(struct seed *seed, uint8_t *const hash[LANES32]) {
    vec32 words[16], *block = seed->block;
    vec32_load_block(hash, 0, 32, words);
    EIGHT(i) words[i] = vec32_swap_bytes(words[i]);
    seed_reduce(words);
    block[0] = vec32_or(seed->last, vec32_shr(words[0], 8));
    for (int i = 1; i < 8; i++)
        block[i] = vec32_or(vec32_shl(words[i - 1], 24), vec32_shr(words[i], 8));
    block[8] = vec32_or(vec32_shl(words[7], 24), vec32_set(0x00800000));
    for (int i = 9; i < 15; i++) block[i] = vec32_set(0);
    block[15] = vec32_set(8 * (SHA256_BLOCK + 97));
}

// Which lanes hold no scalar, or might not: 0 and what reaches n begin with 96 equal bits.
INLINE uint64_t lanes_odd(const vec32 v[8]) {
    return vec32_equal_lanes(vec32_and(v[0], vec32_and(v[1], v[2])), UINT32_MAX) |
           vec32_equal_lanes(vec32_or(v[0], vec32_or(v[1], v[2])), 0);
}

// Returns the places whose candidate is left to the scalar row.
PASS uint64_t nonce_pass(struct seed *seed, uint8_t *const hash[LANES32],
                         uint8_t *const out[LANES32], int count) {
    struct hmac256 *hmac = &seed->hmac;
    vec32 *state = seed->state, *value = seed->value;
    seed_hash(seed, hash);

    // K := HMAC(V || 0 || key || hash) under the key 0, V := HMAC(V).
    EIGHT(i) state[i] = seed->first[i], hmac->outer[i] = vec32_set(zero_outer[i]);
    sha256_compress(state, seed->block);
    hmac256_end(hmac, state, state);
    hmac256_key(hmac, state);
    EIGHT(i) value[i] = vec32_set(VALUE_START);
    hmac256_again(hmac, value);

    // K := HMAC(V || 1 || key || hash), V := HMAC(V).
    EIGHT(i) state[i] = hmac->inner[i];
    seed_block(state, value, 1, seed->key);
    sha256_compress(state, seed->block);
    hmac256_end(hmac, state, state);
    hmac256_key(hmac, state);
    hmac256_again(hmac, value);

    // The candidate is the next V.
    hmac256_again(hmac, value);
    uint64_t odd = lanes_odd(value);
    EIGHT(i) seed->block[i] = vec32_swap_bytes(value[i]);
    vec32_store_block(out, count, 0, 32, seed->block);
    return odd;
}

TARGET void ROW(ecdsa_nonce)(const uint8_t *key, struct kernels_lanes hash,
                             struct kernels_lanes out, uint64_t live) {
    struct seed seed;
    uint8_t *from[LANES32], *to[LANES32];
    uint64_t odd = 0;
    if (live == 0) return;
    seed_key(&seed, key);
    while (live != 0) {
        struct pass pass = pass_take(&live);
        pass_at(&pass, hash, from);
        pass_at(&pass, out, to);
        uint64_t places = nonce_pass(&seed, from, to, pass.count);
        for (int i = 0; i < pass.count; i++) odd |= (places >> i & 1) << pass.lane[i];
    }
    wipe(&seed, sizeof seed);
    wipe_stack();
    // By a chance of 2^-95 for each lane.
    DECLASSIFY(&odd, sizeof odd);
    if (odd != 0) scalar_ecdsa_nonce(key, hash, out, odd);
}
#undef EIGHT
