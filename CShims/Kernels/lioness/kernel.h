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

#define BLOCKS CHACHA_TOGETHER

struct lioness {
    uint8_t *at[LANES32];
    int count;
    size_t bytes;
    vec32 left[16], material[48];
    // A sweep's own: the blocks that it is at, and what is made of them.
    vec32 words[BLOCKS][16], cv[8];
    struct chacha chacha;
};

// What a sweep does with each block, in this order.
enum { FROM_TURNED = 1, STREAM = 2, HASH = 4, TO_TURNED = 8 };

// How much of a block at `at` there is.
INLINE size_t block_bytes(const struct lioness *state, size_t at) {
    size_t left = state->bytes > at ? state->bytes - at : 0;
    return left < BLOCK ? left : BLOCK;
}

// Words of a block; only whole blocks of full passes are ever turned.
INLINE void sweep_load(const struct lioness *state, size_t at, size_t bytes, int steps,
                       vec32 words[16]) {
    if (steps & FROM_TURNED && state->count == LANES32 && bytes == BLOCK)
        vec32_load_turned(state->at, at, words);
    else
        vec32_load_block(state->at, at, bytes, words);
}
INLINE void sweep_store(const struct lioness *state, size_t at, size_t bytes, int steps,
                        const vec32 words[16]) {
    if (steps & TO_TURNED && state->count == LANES32 && bytes == BLOCK)
        vec32_store_turned(state->at, at, words);
    else if (steps & STREAM)
        vec32_store_block(state->at, state->count, at, bytes, words);
}

// The next functions are not inlined, so that each has all registers to itself.

// All blocks of a sweep_stream() whole, in a full pass; `turned` is a constant.
INLINE void sweep_whole(struct lioness *state, size_t at, int turned, int hash,
                        const vec32 x[BLOCKS][16]) {
    for (int b = 0; b < BLOCKS; b++, at += BLOCK) {
        vec32 block[16];
        if (turned == (FROM_TURNED | TO_TURNED)) {
            vec32_xor_turned(state->at, at, x[b], state->words[b]);
            continue;
        }
        if (turned == FROM_TURNED)
            vec32_load_turned(state->at, at, block);
        else
            vec32_load_block(state->at, at, BLOCK, block);
        for (int i = 0; i < 16; i++) block[i] = vec32_xor(block[i], x[b][i]);
        if (hash)
            for (int i = 0; i < 16; i++) state->words[b][i] = block[i];
        if (turned == TO_TURNED)
            vec32_store_turned(state->at, at, block);
        else
            vec32_store_block(state->at, LANES32, at, BLOCK, block);
    }
}
// Any blocks; the key stream lies in state->words.
PASS void sweep_some(struct lioness *state, size_t at, int steps) {
    vec32 block[16];
    for (int b = 0; b < BLOCKS && at < state->bytes; b++, at += BLOCK) {
        size_t bytes = block_bytes(state, at);
        vec32 *words = state->words[b];
        sweep_load(state, at, bytes, steps, block);
        for (int i = 0; i < 16; i++) words[i] = vec32_xor(words[i], block[i]);
        sweep_store(state, at, bytes, steps, words);
    }
}
// Blocks from `at` on, changed, to where they were and, for the hash, to state->words.
PASS void sweep_stream(struct lioness *state, size_t at, uint32_t counter, int steps) {
    vec32 x[BLOCKS][16];
    chacha_blocks(&state->chacha, counter, BLOCKS, x);
    int turned = steps & (FROM_TURNED | TO_TURNED), hash = steps & HASH;
    if (state->count < LANES32 || state->bytes - at < BLOCKS * BLOCK) {
        for (int b = 0; b < BLOCKS; b++)
            for (int i = 0; i < 16; i++) state->words[b][i] = x[b][i];
        sweep_some(state, at, steps);
    } else if (turned == (FROM_TURNED | TO_TURNED)) {
        sweep_whole(state, at, FROM_TURNED | TO_TURNED, hash, x);
    } else if (turned == FROM_TURNED) {
        sweep_whole(state, at, FROM_TURNED, hash, x);
    } else {
        sweep_whole(state, at, TO_TURNED, hash, x);
    }
}
PASS void sweep_read(struct lioness *state, size_t at, int steps, vec32 out[16]) {
    vec32 words[16];
    size_t bytes = block_bytes(state, at);
    sweep_load(state, at, bytes, steps, words);
    sweep_store(state, at, bytes, steps, words);
    for (int i = 0; i < 16; i++) out[i] = words[i];
}
PASS void sweep_hash(struct lioness *state, const vec32 words[16], size_t bytes, uint32_t flags) {
    lanes_chain(state->cv, words, 0, bytes, flags);
}

// The right part once: right ^= ChaCha20(left ^ key, nonce), then left ^= BLAKE3(right). stream and
// hash are indices of keys.
PASS void sweep(struct lioness *state, int steps, int stream, int nonce, int hash) {
    const vec32 *material = state->material;
    uint32_t counter = 0, flags = BLAKE3_KEYED_HASH | BLAKE3_CHUNK_START;
    for (int i = 0; i < 8; i++) {
        state->chacha.key[i] = vec32_xor(state->left[i], material[stream + i]);
        state->cv[i] = material[hash + i];
    }
    for (int i = 0; i < 3; i++) state->chacha.nonce[i] = material[nonce + i];

    for (size_t at = LEFT; at < state->bytes; at += BLOCK, counter++) {
        size_t bytes = block_bytes(state, at);
        vec32 *words = state->words[counter % BLOCKS];
        if (steps & STREAM && counter % BLOCKS == 0) sweep_stream(state, at, counter, steps);
        // A last block again, as the hash wants zeros where the key stream has gone on.
        if (!(steps & STREAM) || (bytes < BLOCK && steps & HASH))
            sweep_read(state, at, steps & ~STREAM, words);
        if (steps & HASH) {
            if (state->bytes - at <= BLOCK) flags |= BLAKE3_CHUNK_END | BLAKE3_ROOT;
            sweep_hash(state, words, bytes, flags);
            flags = BLAKE3_KEYED_HASH;
        }
    }
    if (steps & HASH)
        for (int i = 0; i < 8; i++) state->left[i] = vec32_xor(state->left[i], state->cv[i]);
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
    if (bytes > LEFT + BLAKE3_CHUNK || pass_few(live, LIONESS_FEW)) return live;
    while (!pass_few(live, LIONESS_FEW)) {
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
