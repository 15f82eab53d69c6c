// BLAKE3 of LANES32 packets at once. Differs from scalar.c so: one chunk at most (longer inputs are
// the scalar row's), so that there is no tree and every lane has the same flags and counters; and
// salt and key are joined as they are loaded.
#include "../lanes/pass.h"
#include "../rows.h"
#include "blake3.h"
#include "compress.h"
#include "contexts.h"

// One call's shape, the same for every pass.
struct shape {
    uint32_t mode;
    size_t first_bytes, bytes, out_bytes; // message: first || second, `bytes` together
};

// out := hash of first || second under a key, for at most one chunk.
PASS void hash_pass(const struct shape *shape, const vec32 key[8], uint8_t *const first[LANES32],
                    uint8_t *const second[LANES32], uint8_t *const out[LANES32], int count) {
    vec32 cv[8], m[16], v[16];
    uint32_t flags = shape->mode | BLAKE3_CHUNK_START;
    size_t at = 0, left = shape->bytes;
    for (int i = 0; i < 8; i++) cv[i] = key[i];
    for (; left > BLAKE3_BLOCK; at += BLAKE3_BLOCK, left -= BLAKE3_BLOCK) {
        vec32_load_joined(first, shape->first_bytes, second, at, BLAKE3_BLOCK, m);
        lanes_chain(cv, m, 0, BLAKE3_BLOCK, flags);
        flags = shape->mode;
    }
    vec32_load_joined(first, shape->first_bytes, second, at, left, m);
    flags |= BLAKE3_CHUNK_END | BLAKE3_ROOT;
    for (size_t done = 0; done < shape->out_bytes; done += BLAKE3_BLOCK) {
        size_t rest = shape->out_bytes - done;
        lanes_compress(cv, m, (uint32_t)(done / BLAKE3_BLOCK), left, flags, v);
        for (int i = 0; i < 8; i++) {
            v[i] = vec32_xor(v[i], v[8 + i]);
            v[8 + i] = vec32_xor(v[8 + i], cv[i]);
        }
        vec32_store_block(out, count, done, rest < BLAKE3_BLOCK ? rest : BLAKE3_BLOCK, v);
    }
}

TARGET void ROW(derive)(enum kernels_context context, struct kernels_lanes salt, size_t salt_bytes,
                        struct kernels_lanes key, size_t key_bytes, struct kernels_lanes out,
                        size_t out_bytes, uint64_t live) {
    if (pass_few(live, DERIVE_FEW)) {
        scalar_derive(context, salt, salt_bytes, key, key_bytes, out, out_bytes, live);
        return;
    }
    struct shape shape = {
        BLAKE3_DERIVE_KEY_MATERIAL, salt_bytes, salt_bytes + key_bytes, out_bytes};
    vec32 words[8];
    uint8_t *first[LANES32], *second[LANES32], *to[LANES32];
    for (int i = 0; i < 8; i++) words[i] = vec32_set(context_keys[context][i]);
    while (!pass_few(live, DERIVE_FEW)) {
        struct pass pass = pass_take(&live);
        pass_at(&pass, salt_bytes > 0 ? salt : key, first);
        pass_at(&pass, key, second);
        pass_at(&pass, out, to);
        hash_pass(&shape, words, first, second, to, pass.count);
    }
    if (live != 0) scalar_derive(context, salt, salt_bytes, key, key_bytes, out, out_bytes, live);
    wipe_stack();
}

TARGET void ROW(blake3)(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                        uint64_t live) {
    if (bytes > BLAKE3_CHUNK || pass_few(live, BLAKE3_FEW)) {
        scalar_blake3(in, bytes, out, live);
        return;
    }
    struct shape shape = {0, 0, bytes, 32};
    vec32 words[8];
    uint8_t *from[LANES32], *to[LANES32];
    for (int i = 0; i < 8; i++) words[i] = vec32_set(iv[i]);
    while (!pass_few(live, BLAKE3_FEW)) {
        struct pass pass = pass_take(&live);
        pass_at(&pass, in, from);
        pass_at(&pass, out, to);
        hash_pass(&shape, words, from, from, to, pass.count);
    }
    if (live != 0) scalar_blake3(in, bytes, out, live);
    wipe_stack();
}

TARGET void ROW(blake3_keyed)(struct kernels_lanes key, struct kernels_lanes in, size_t bytes,
                              struct kernels_lanes out, uint64_t live) {
    if (bytes > BLAKE3_CHUNK || pass_few(live, BLAKE3_FEW)) {
        scalar_blake3_keyed(key, in, bytes, out, live);
        return;
    }
    struct shape shape = {BLAKE3_KEYED_HASH, 0, bytes, 32};
    vec32 words[16] = {vec32_set(0)};
    uint8_t *from[LANES32], *keys[LANES32], *to[LANES32];
    while (!pass_few(live, BLAKE3_FEW)) {
        struct pass pass = pass_take(&live);
        pass_at(&pass, key, keys);
        pass_at(&pass, in, from);
        pass_at(&pass, out, to);
        vec32_load_block(keys, 0, 32, words);
        hash_pass(&shape, words, from, from, to, pass.count);
    }
    if (live != 0) scalar_blake3_keyed(key, in, bytes, out, live);
    wipe(words, sizeof words);
    wipe_stack();
}
