// Keccak-256 and the expansion of half-keys, one packet in each lane.
//
// Differs from scalar.c in how bytes reach the state: all lanes have one length, so whole words are
// xored in, and what is equal in all lanes (padding, tags) is a constant word. The round is
// scalar.c's over `vec`.
#include "../lanes/group.h"
#include "../rows.h"
#include "../secp256k1/reduce48.h"
#include "keccak.h"
#include "tables.h"

#define RATE_WORDS (KECCAK_RATE / 8)
#define LAST_BIT   ((uint64_t)0x80 << 56) // the end of the padding, in the rate's last word

INLINE vec chi(vec a, vec b, vec c) { return vec_xor(a, vec_andnot(b, c)); }

// One row after rho and pi: b0..b4 are the words that pi brings into it.
#define CHI_ROW(row, b0, b1, b2, b3, b4)                                                           \
    do {                                                                                           \
        vec c0 = (b0), c1 = (b1), c2 = (b2), c3 = (b3), c4 = (b4);                                 \
        out[5 * (row) + 0] = chi(c0, c1, c2);                                                      \
        out[5 * (row) + 1] = chi(c1, c2, c3);                                                      \
        out[5 * (row) + 2] = chi(c2, c3, c4);                                                      \
        out[5 * (row) + 3] = chi(c3, c4, c0);                                                      \
        out[5 * (row) + 4] = chi(c4, c0, c1);                                                      \
    } while (0)

// Word (x, y) is a[5 * y + x].
#define WORD(x, y, left) vec_rol(vec_xor(in[5 * (y) + (x)], d[x]), left)

INLINE void keccak_round(vec out[25], const vec in[25], uint64_t constant) {
    // theta: each column's parity goes into its neighbours.
    vec c[5], d[5];
    for (int x = 0; x < 5; x++) {
        vec upper = vec_xor(vec_xor(in[x], in[x + 5]), in[x + 10]);
        c[x] = vec_xor(vec_xor(upper, in[x + 15]), in[x + 20]);
    }
    for (int x = 0; x < 5; x++) d[x] = vec_xor(c[(x + 4) % 5], vec_rol(c[(x + 1) % 5], 1));

    // rho (the rotations), pi (which word goes where), chi.
    CHI_ROW(0, WORD(0, 0, 0), WORD(1, 1, 44), WORD(2, 2, 43), WORD(3, 3, 21), WORD(4, 4, 14));
    CHI_ROW(1, WORD(3, 0, 28), WORD(4, 1, 20), WORD(0, 2, 3), WORD(1, 3, 45), WORD(2, 4, 61));
    CHI_ROW(2, WORD(1, 0, 1), WORD(2, 1, 6), WORD(3, 2, 25), WORD(4, 3, 8), WORD(0, 4, 18));
    CHI_ROW(3, WORD(4, 0, 27), WORD(0, 1, 36), WORD(1, 2, 10), WORD(2, 3, 15), WORD(3, 4, 56));
    CHI_ROW(4, WORD(2, 0, 62), WORD(3, 1, 55), WORD(4, 2, 39), WORD(0, 3, 41), WORD(1, 4, 2));

    // iota.
    out[0] = vec_xor(out[0], vec_set(constant));
}

INLINE void permute_here(vec a[25]) {
    vec b[25];
    for (int round = 0; round < 24; round += 2) {
        keccak_round(b, a, round_constants[round]);
        keccak_round(a, b, round_constants[round + 1]);
    }
}

static TARGET __attribute__((noinline)) void permute(vec state[25]) {
    vec a[25];
    for (int i = 0; i < 25; i++) a[i] = state[i];
    permute_here(a);
    for (int i = 0; i < 25; i++) state[i] = a[i];
}

INLINE void xor_constant(vec *word, uint64_t constant) {
    *word = vec_xor(*word, vec_set(constant));
}

// Xors `bytes` <= KECCAK_RATE bytes onto the beginning of the state.
INLINE void absorb(vec state[25], const uint8_t *const at[LANES], size_t offset, size_t bytes) {
    for (size_t first = 0; 8 * first < bytes; first += 8) {
        vec words[8];
        size_t left = bytes - 8 * first;
        vec_load_block(at, offset + 8 * first, left < 64 ? left : 64, words);
        // The rate has two blocks of eight words, and one word.
        size_t count = first < 16 ? 8 : 1;
        for (size_t k = 0; k < count; k++) state[first + k] = vec_xor(state[first + k], words[k]);
    }
}

INLINE void store_hash(uint8_t *const at[LANES], const vec state[25]) {
    vec_store_block(at, 0, 32, state);
}

static TARGET __attribute__((noinline)) void keccak256_group(vec state[25],
                                                             const uint8_t *const in[LANES],
                                                             size_t bytes,
                                                             uint8_t *const out[LANES]) {
    size_t offset = 0;
    for (int i = 0; i < 25; i++) state[i] = vec_set(0);
    for (; bytes - offset >= KECCAK_RATE; offset += KECCAK_RATE) {
        absorb(state, in, offset, KECCAK_RATE);
        permute(state);
    }
    size_t left = bytes - offset;
    absorb(state, in, offset, left);
    xor_constant(&state[left / 8], (uint64_t)KECCAK_ETHEREUM << (8 * (left % 8)));
    xor_constant(&state[RATE_WORDS - 1], LAST_BIT);
    permute(state);
    store_hash(out, state);
}

TARGET void ROW(keccak256)(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                           uint64_t live) {
    vec state[25];
    uint8_t dummy[32];
    const uint8_t *from[LANES];
    uint8_t *to[LANES];
    uint64_t rest = group_rest(live, KECCAK_LEAST);
    if (rest != 0) scalar_keccak256(in, bytes, out, rest);
    if ((live &= ~rest) == 0) return;
    while (live != 0) {
        struct group group = group_next(&live);
        group_read(&group, in, from);
        group_write(&group, out, dummy, to);
        keccak256_group(state, from, bytes, to);
    }
    wipe(state, sizeof state);
    wipe(dummy, sizeof dummy);
    wipe_stack();
}

static TARGET __attribute__((noinline)) void iterate_group(vec state[25],
                                                           const uint8_t *const in[LANES],
                                                           size_t count,
                                                           uint8_t *const out[LANES]) {
    for (int i = 0; i < 25; i++) state[i] = vec_set(0);
    absorb(state, in, 0, 32);
    for (size_t step = 0; step < count; step++) {
        for (int i = 4; i < 25; i++) state[i] = vec_set(0);
        state[4] = vec_set(KECCAK_ETHEREUM);
        state[RATE_WORDS - 1] = vec_set(LAST_BIT);
        permute(state);
    }
    store_hash(out, state);
}

TARGET void ROW(keccak_iterate)(struct kernels_lanes value, size_t count, uint64_t live) {
    vec state[25];
    uint8_t dummy[32];
    const uint8_t *from[LANES];
    uint8_t *to[LANES];
    uint64_t rest = group_rest(live, KECCAK_LEAST);
    if (rest != 0) scalar_keccak_iterate(value, count, rest);
    if ((live &= ~rest) == 0) return;
    while (live != 0) {
        struct group group = group_next(&live);
        group_read(&group, value, from);
        group_write(&group, value, dummy, to);
        iterate_group(state, from, count, to);
    }
    wipe(state, sizeof state);
    wipe(dummy, sizeof dummy);
    wipe_stack();
}

// -- Half-keys: expand_message_xmd to 48 bytes with SHA3-256, then modulo n

#define TAG(name)  "secp256k1_XMD:SHA3-256_SSWU_RO_" name "\x2f" // and its length
#define TAIL_WORDS (RATE_WORDS - 4)
_Static_assert(sizeof TAG("HASH_KEY_OWN_KEY") - 1 == 0x2f + 1, "the tag's length byte");

// What follows the 32 bytes that differ from lane to lane, padding (06) included: of b_0, whose
// block of zeros is behind it, and of b_1; b_2 has a 2 where b_1 has a 1.
struct tails {
    char first[8 * TAIL_WORDS], block[8 * TAIL_WORDS];
};
#define TAILS(name)                                                                                \
    { "\x00\x30\x00" TAG(name) "\x06", "\x01" TAG(name) "\x06" }
static const struct tails own_tails = TAILS("HASH_KEY_OWN_KEY");
static const struct tails ack_tails = TAILS("HASH_KEY_ACK_KEY");

// hash := SHA3-256 of (words || tail) from a state that is equal in all lanes.
INLINE void hash_words(const uint64_t *start, const vec words[4], const char tail[8 * TAIL_WORDS],
                       uint64_t flip, vec hash[4]) {
    vec state[25];
    for (int i = 0; i < 25; i++) state[i] = vec_set(start ? start[i] : 0);
    for (int i = 0; i < 4; i++) state[i] = vec_xor(state[i], words[i]);
    for (int i = 0; i < TAIL_WORDS; i++)
        xor_constant(&state[4 + i], load64((const uint8_t *)tail + 8 * i));
    xor_constant(&state[4], flip);
    xor_constant(&state[RATE_WORDS - 1], LAST_BIT);
    permute_here(state);
    for (int i = 0; i < 4; i++) hash[i] = state[i];
}

static TARGET __attribute__((noinline)) void half_key_group(vec block[8], const vec secret[4],
                                                            const struct tails *tails,
                                                            uint8_t *const out[LANES]) {
    vec first[4];
    hash_words(permuted_zero, secret, tails->first, 0, first);
    hash_words(NULL, first, tails->block, 0, block);
    for (int i = 0; i < 4; i++) first[i] = vec_xor(first[i], block[i]);
    hash_words(NULL, first, tails->block, 1 ^ 2, block + 4);
    reduce48(block, block);
    vec_store_block(out, 0, 32, block);
}

TARGET void ROW(half_keys)(struct kernels_lanes secret, struct kernels_lanes own,
                           struct kernels_lanes ack, uint64_t live) {
    vec words[8], block[8];
    uint8_t dummy[32];
    const uint8_t *from[LANES];
    uint8_t *to[LANES];
    uint64_t rest = group_rest(live, KECCAK_LEAST);
    if (rest != 0) scalar_half_keys(secret, own, ack, rest);
    if ((live &= ~rest) == 0) return;
    while (live != 0) {
        struct group group = group_next(&live);
        group_read(&group, secret, from);
        vec_load_block(from, 0, 32, words);
        group_write(&group, own, dummy, to);
        half_key_group(block, words, &own_tails, to);
        group_write(&group, ack, dummy, to);
        half_key_group(block, words, &ack_tails, to);
    }
    wipe(words, sizeof words);
    wipe(block, sizeof block);
    wipe(dummy, sizeof dummy);
    wipe_stack();
}
