// HMAC-SHA256 over 32-bit lanes, for one key after another. Include after a lane vocabulary.
//
// A key costs two compressions: the states that its two blocks lead to are kept. Leaves its secrets
// on the stack as sha256_compress() does.
#pragma once
#include "sha256.h"

struct hmac256 {
    vec32 inner[8], outer[8];
};

// state := start after a block of `key`, every byte of which is xored with `pad`.
INLINE void hmac256_pad(vec32 state[8], const vec32 key[8], uint32_t pad) {
    vec32 words[16];
    for (int i = 0; i < 8; i++) words[i] = vec32_xor(key[i], vec32_set(pad));
    for (int i = 8; i < 16; i++) words[i] = vec32_set(pad);
    sha256_begin(state);
    sha256_compress(state, words);
}

// key: 32 bytes as numbers.
INLINE void hmac256_key(struct hmac256 *hmac, const vec32 key[8]) {
    hmac256_pad(hmac->inner, key, 0x36363636);
    hmac256_pad(hmac->outer, key, 0x5c5c5c5c);
}

// out := state after the last block of a message: `last`, of 32 bytes, behind one whole block.
INLINE void hmac256_last(vec32 out[8], const vec32 state[8], const vec32 last[8]) {
    vec32 words[16], next[8];
    for (int i = 0; i < 8; i++) words[i] = last[i], next[i] = state[i];
    words[8] = vec32_set(0x80000000);
    for (int i = 9; i < 15; i++) words[i] = vec32_set(0);
    words[15] = vec32_set(8 * (SHA256_BLOCK + 32));
    sha256_compress(next, words);
    for (int i = 0; i < 8; i++) out[i] = next[i];
}

// tag := the tag of a message that led from hmac->inner to `state`.
INLINE void hmac256_end(const struct hmac256 *hmac, const vec32 state[8], vec32 tag[8]) {
    hmac256_last(tag, hmac->outer, state);
}

// value := its own tag; 32 bytes.
INLINE void hmac256_again(const struct hmac256 *hmac, vec32 value[8]) {
    hmac256_last(value, hmac->inner, value);
    hmac256_end(hmac, value, value);
}
