// SHA-512 of LANES packets at once, and SHA-256 of LANES32. All lanes have one length, so the
// padding is the same words in all of them.
#include "../lanes/group.h"
#include "../lanes/pass.h"
#include "../rows.h"
#include "sha256.h"
#include "sha512.h"

// -- SHA-512

// What a call keeps of its lanes, and wipes.
struct hash512 {
    vec state[8], words[16];
};

// The block's words; of its 128 bytes the first `bytes` are there, the others are 0.
INLINE void load512(vec words[16], const uint8_t *const at[LANES], size_t offset, size_t bytes) {
    size_t first = bytes < 64 ? bytes : 64;
    vec_load_block(at, offset, first, words);
    vec_load_block(at, offset + first, bytes - first, words + 8);
    for (int i = 0; i < 16; i++) words[i] = vec_swap_bytes(words[i]);
}

ROUTINE void group512(struct hash512 *hash, const uint8_t *const in[LANES], size_t bytes,
                      uint8_t *const out[LANES]) {
    size_t offset = 0;
    vec *words = hash->words;
    sha512_begin(hash->state);
    for (; bytes - offset >= SHA512_BLOCK; offset += SHA512_BLOCK) {
        load512(words, in, offset, SHA512_BLOCK);
        sha512_compress(hash->state, words);
    }
    size_t left = bytes - offset;
    load512(words, in, offset, left);
    words[left / 8] = vec_or(words[left / 8], vec_set((uint64_t)0x80 << (56 - 8 * (left % 8))));
    if (left >= SHA512_BLOCK - 16) {
        sha512_compress(hash->state, words);
        for (int i = 0; i < 16; i++) words[i] = vec_set(0);
    }
    words[14] = vec_set((uint64_t)bytes >> 61);
    words[15] = vec_set((uint64_t)bytes << 3);
    sha512_compress(hash->state, words);
    for (int i = 0; i < 8; i++) words[i] = vec_swap_bytes(hash->state[i]);
    vec_store_block(out, 0, 64, words);
}

TARGET void ROW(sha512)(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                        uint64_t live) {
    struct hash512 hash;
    uint8_t dummy[64];
    const uint8_t *from[LANES];
    uint8_t *to[LANES];
    uint64_t rest = group_rest(live, SHA512_LEAST);
    if (rest != 0) scalar_sha512(in, bytes, out, rest);
    if ((live &= ~rest) == 0) return;
    while (live != 0) {
        struct group group = group_next(&live);
        group_read(&group, in, from);
        group_write(&group, out, dummy, to);
        group512(&hash, from, bytes, to);
    }
    wipe(&hash, sizeof hash);
    wipe(dummy, sizeof dummy);
    wipe_stack();
}

// -- SHA-256

struct hash256 {
    vec32 state[8], words[16];
};

INLINE void load256(vec32 words[16], uint8_t *const at[LANES32], size_t offset, size_t bytes) {
    vec32_load_block(at, offset, bytes, words);
    for (int i = 0; i < 16; i++) words[i] = vec32_swap_bytes(words[i]);
}

PASS void pass256(struct hash256 *hash, uint8_t *const in[LANES32], size_t bytes,
                  uint8_t *const out[LANES32], int count) {
    size_t offset = 0;
    vec32 *words = hash->words;
    sha256_begin(hash->state);
    for (; bytes - offset >= SHA256_BLOCK; offset += SHA256_BLOCK) {
        load256(words, in, offset, SHA256_BLOCK);
        sha256_compress(hash->state, words);
    }
    size_t left = bytes - offset;
    load256(words, in, offset, left);
    words[left / 4] = vec32_or(words[left / 4], vec32_set((uint32_t)0x80 << (24 - 8 * (left % 4))));
    if (left >= SHA256_BLOCK - 8) {
        sha256_compress(hash->state, words);
        for (int i = 0; i < 16; i++) words[i] = vec32_set(0);
    }
    words[14] = vec32_set((uint32_t)((uint64_t)bytes >> 29));
    words[15] = vec32_set((uint32_t)(bytes << 3));
    sha256_compress(hash->state, words);
    for (int i = 0; i < 8; i++) words[i] = vec32_swap_bytes(hash->state[i]);
    vec32_store_block(out, count, 0, 32, words);
}

TARGET void ROW(sha256)(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                        uint64_t live) {
    if (pass_few(live, SHA256_FEW)) {
        scalar_sha256(in, bytes, out, live);
        return;
    }
    struct hash256 hash;
    uint8_t *from[LANES32], *to[LANES32];
    while (!pass_few(live, SHA256_FEW)) {
        struct pass pass = pass_take(&live);
        pass_at(&pass, in, from);
        pass_at(&pass, out, to);
        pass256(&hash, from, bytes, to, pass.count);
    }
    if (live != 0) scalar_sha256(in, bytes, out, live);
    wipe(&hash, sizeof hash);
    wipe_stack();
}
