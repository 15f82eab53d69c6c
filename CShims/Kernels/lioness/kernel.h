// LIONESS of LANES32 blocks at once. Differs from scalar.c so:
//
//   - A key stream and the hash after it go over the right part together, block by block.
//   - Between two such sweeps a full pass leaves its packets turned: the sixteen vectors of a block
//     lie where the sixteen packets' blocks were. So each byte is transposed twice, not eight
//     times, and nothing is copied elsewhere.
//   - The left part stays in vectors from beginning to end.
//   - The right part is one chunk of BLAKE3 at most; longer ones are the scalar row's.
#include "../blake3/blake3.h"
#include "../blake3/compress.h"
#include "../header/chacha.h"
#include "../lanes/pass.h"
#include "../rows.h"

#define LEFT  32 // bytes of the left part; the right part is the rest
#define BLOCK 64

// Material by words: iv1 || iv2 || k1 || k2 || k3 || k4.
enum { IV1 = 0, IV2 = 3, K1 = 6, K2 = 14, K3 = 22, K4 = 30, WORDS = 38 };

struct lioness {
    uint8_t *at[LANES32];
    int count;
    size_t bytes;
    vec32 left[16], material[48];
};

// What a sweep does with each block, in this order.
enum { FROM_TURNED = 1, STREAM = 2, HASH = 4, TO_TURNED = 8 };

// The right part once: right ^= ChaCha20(left ^ key, nonce), then left ^= BLAKE3(right). stream and
// hash are indices of keys.
PASS void sweep(struct lioness *state, int steps, int stream, int nonce, int hash) {
    vec32 words[16], x[16], cv[8];
    struct chacha chacha;
    const vec32 *material = state->material;
    for (int i = 0; i < 8; i++) chacha.key[i] = vec32_xor(state->left[i], material[stream + i]);
    for (int i = 0; i < 3; i++) chacha.nonce[i] = material[nonce + i];
    for (int i = 0; i < 8; i++) cv[i] = material[hash + i];

    uint32_t flags = BLAKE3_KEYED_HASH | BLAKE3_CHUNK_START;
    uint32_t counter = 0;
    for (size_t at = LEFT; at < state->bytes; at += BLOCK) {
        size_t left = state->bytes - at, bytes = left < BLOCK ? left : BLOCK;
        int full = state->count == LANES32 && bytes == BLOCK;
        if (full && steps & FROM_TURNED)
            vec32_load_turned(state->at, at, words);
        else
            vec32_load_block(state->at, at, bytes, words);
        if (steps & STREAM) {
            chacha_block(&chacha, counter++, x);
            for (int i = 0; i < 16; i++) words[i] = vec32_xor(words[i], x[i]);
        }
        if (full && steps & TO_TURNED)
            vec32_store_turned(state->at, at, words);
        else if (steps & STREAM)
            vec32_store_block(state->at, state->count, at, bytes, words);
        if (steps & HASH) {
            // The hash wants zeros behind the end, where the key stream has gone on.
            if (bytes < BLOCK) vec32_load_block(state->at, at, bytes, words);
            if (left <= BLOCK) flags |= BLAKE3_CHUNK_END | BLAKE3_ROOT;
            lanes_chain(cv, words, 0, bytes, flags);
            flags = BLAKE3_KEYED_HASH;
        }
    }
    if (steps & HASH)
        for (int i = 0; i < 8; i++) state->left[i] = vec32_xor(state->left[i], cv[i]);
}

// Forward: stream K1, hash K2, stream K3, hash K4.
INLINE void sweeps_forward(struct lioness *state) {
    sweep(state, STREAM | HASH | TO_TURNED, K1, IV1, K2);
    sweep(state, FROM_TURNED | STREAM | HASH, K3, IV2, K4);
}

// Inverse: hash K4, stream K3, hash K2, stream K1.
INLINE void sweeps_inverse(struct lioness *state) {
    sweep(state, HASH | TO_TURNED, K1, IV1, K4);
    sweep(state, FROM_TURNED | STREAM | HASH | TO_TURNED, K3, IV2, K2);
    sweep(state, FROM_TURNED | STREAM, K1, IV1, K2);
}

PASS void lioness_pass(struct lioness *state, uint8_t *const material[LANES32], int inverse) {
    vec32_load_block(material, 0, 64, state->material);
    vec32_load_block(material, 64, 64, state->material + 16);
    vec32_load_block(material, 128, 4 * WORDS - 128, state->material + 32);
    vec32_load_block(state->at, 0, LEFT, state->left);
    if (inverse)
        sweeps_inverse(state);
    else
        sweeps_forward(state);
    vec32_store_block(state->at, state->count, 0, LEFT, state->left);
}

// Returns the lanes that are left for the scalar row.
PASS uint64_t lioness_passes(struct kernels_lanes material, struct kernels_lanes block,
                             size_t bytes, uint64_t live, int inverse) {
    struct lioness state;
    uint8_t *keys[LANES32];
    state.bytes = bytes;
    while (bytes <= LEFT + BLAKE3_CHUNK && !pass_few(live, LIONESS_FEW)) {
        struct pass pass = pass_take(&live);
        state.count = pass.count;
        pass_at(&pass, block, state.at);
        pass_at(&pass, material, keys);
        lioness_pass(&state, keys, inverse);
    }
    wipe(&state, sizeof state);
    wipe_stack(); // from here: the frame above is large
    return live;
}

void ROW(lioness_forward)(struct kernels_lanes material, struct kernels_lanes block, size_t bytes,
                          uint64_t live) {
    live = lioness_passes(material, block, bytes, live, 0);
    if (live != 0) scalar_lioness_forward(material, block, bytes, live);
}

void ROW(lioness_inverse)(struct kernels_lanes material, struct kernels_lanes block, size_t bytes,
                          uint64_t live) {
    live = lioness_passes(material, block, bytes, live, 1);
    if (live != 0) scalar_lioness_inverse(material, block, bytes, live);
}
