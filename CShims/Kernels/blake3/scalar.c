#include "../rows.h"
#include "blake3.h"
#include "contexts.h"
#include "tables.h"

static inline uint32_t rotate(uint32_t value, int right) {
    return value >> right | value << (32 - right);
}

#define QUARTER(a, b, c, d, x, y)                                                                  \
    do {                                                                                           \
        v[a] += v[b] + (x), v[d] = rotate(v[d] ^ v[a], 16);                                        \
        v[c] += v[d], v[b] = rotate(v[b] ^ v[c], 12);                                              \
        v[a] += v[b] + (y), v[d] = rotate(v[d] ^ v[a], 8);                                         \
        v[c] += v[d], v[b] = rotate(v[b] ^ v[c], 7);                                               \
    } while (0)

#define ROUND(r)                                                                                   \
    do {                                                                                           \
        const uint8_t *s = schedule[r];                                                            \
        QUARTER(0, 4, 8, 12, m[s[0]], m[s[1]]);                                                    \
        QUARTER(1, 5, 9, 13, m[s[2]], m[s[3]]);                                                    \
        QUARTER(2, 6, 10, 14, m[s[4]], m[s[5]]);                                                   \
        QUARTER(3, 7, 11, 15, m[s[6]], m[s[7]]);                                                   \
        QUARTER(0, 5, 10, 15, m[s[8]], m[s[9]]);                                                   \
        QUARTER(1, 6, 11, 12, m[s[10]], m[s[11]]);                                                 \
        QUARTER(2, 7, 8, 13, m[s[12]], m[s[13]]);                                                  \
        QUARTER(3, 4, 9, 14, m[s[14]], m[s[15]]);                                                  \
    } while (0)

// The last compression of a node, not done yet: whether it is the root decides
// how.
struct node {
    uint32_t cv[8];
    uint8_t block[BLAKE3_BLOCK];
    uint32_t bytes;
    uint32_t flags;
    uint64_t counter;
};

static void compress(const uint32_t cv[8], const uint8_t *block, uint32_t bytes, uint64_t counter,
                     uint32_t flags, uint32_t out[16]) {
    uint32_t m[16], v[16];
    for (int i = 0; i < 16; i++) m[i] = load32(block + 4 * i);
    for (int i = 0; i < 8; i++) v[i] = cv[i];
    for (int i = 0; i < 4; i++) v[8 + i] = iv[i];
    v[12] = (uint32_t)counter, v[13] = (uint32_t)(counter >> 32), v[14] = bytes, v[15] = flags;

    ROUND(0);
    ROUND(1);
    ROUND(2);
    ROUND(3);
    ROUND(4);
    ROUND(5);
    ROUND(6);

    for (int i = 0; i < 8; i++) {
        out[i] = v[i] ^ v[8 + i];
        out[8 + i] = v[8 + i] ^ cv[i];
    }
}

static void chaining_value(const struct node *node, uint32_t cv[8]) {
    uint32_t out[16];
    compress(node->cv, node->block, node->bytes, node->counter, node->flags, out);
    memcpy(cv, out, 32);
}

// At most one chunk.
static void chunk_node(const uint32_t key[8], uint32_t mode, const uint8_t *in, size_t bytes,
                       uint64_t counter, struct node *node) {
    uint32_t start = BLAKE3_CHUNK_START, out[16];
    memcpy(node->cv, key, 32);
    for (; bytes > BLAKE3_BLOCK; in += BLAKE3_BLOCK, bytes -= BLAKE3_BLOCK) {
        compress(node->cv, in, BLAKE3_BLOCK, counter, mode | start, out);
        memcpy(node->cv, out, 32);
        start = 0;
    }
    memset(node->block, 0, BLAKE3_BLOCK);
    if (bytes > 0) memcpy(node->block, in, bytes);
    node->bytes = (uint32_t)bytes;
    node->counter = counter;
    node->flags = mode | start | BLAKE3_CHUNK_END;
}

// Bytes of the left subtree: the largest power of two of whole chunks that
// leaves something over.
static size_t left_bytes(size_t bytes) {
    size_t chunks = (bytes - 1) / BLAKE3_CHUNK;
    return (size_t)BLAKE3_CHUNK << (63 - __builtin_clzll(chunks));
}

// Depth is the logarithm of the number of chunks.
static void tree_node(const uint32_t key[8], uint32_t mode, const uint8_t *in, size_t bytes,
                      uint64_t counter, struct node *node) {
    if (bytes <= BLAKE3_CHUNK) {
        chunk_node(key, mode, in, bytes, counter, node);
        return;
    }
    size_t left = left_bytes(bytes);
    uint32_t children[16];
    tree_node(key, mode, in, left, counter, node);
    chaining_value(node, children);
    tree_node(key, mode, in + left, bytes - left, counter + left / BLAKE3_CHUNK, node);
    chaining_value(node, children + 8);

    memcpy(node->cv, key, 32);
    for (int i = 0; i < 16; i++) store32(node->block + 4 * i, children[i]);
    node->bytes = BLAKE3_BLOCK;
    node->counter = 0;
    node->flags = mode | BLAKE3_PARENT;
}

void blake3_hash(const uint32_t key[8], uint32_t mode, const uint8_t *in, size_t bytes,
                 uint8_t *out, size_t out_bytes) {
    struct node root;
    uint32_t words[16];
    uint8_t last[BLAKE3_BLOCK];
    tree_node(key, mode, in, bytes, 0, &root);
    for (uint64_t block = 0; out_bytes > 0; block++) {
        compress(root.cv, root.block, root.bytes, block, root.flags | BLAKE3_ROOT, words);
        size_t part = out_bytes < BLAKE3_BLOCK ? out_bytes : BLAKE3_BLOCK;
        for (int i = 0; i < 16; i++) store32(last + 4 * i, words[i]);
        memcpy(out, last, part);
        out += part, out_bytes -= part;
    }
    wipe(&root, sizeof root);
    wipe(words, sizeof words);
    wipe(last, sizeof last);
}

static void load_key(uint32_t words[8], const uint8_t key[32]) {
    for (int i = 0; i < 8; i++) words[i] = load32(key + 4 * i);
}

void kernels_blake3(const uint8_t *in, size_t bytes, uint8_t *out, size_t out_bytes) {
    blake3_hash(iv, 0, in, bytes, out, out_bytes);
}

void kernels_blake3_keyed(const uint8_t *key, const uint8_t *in, size_t bytes, uint8_t *out,
                          size_t out_bytes) {
    uint32_t words[8];
    load_key(words, key);
    blake3_hash(words, BLAKE3_KEYED_HASH, in, bytes, out, out_bytes);
    wipe(words, sizeof words);
}

void kernels_blake3_derive(const uint8_t *context, size_t context_bytes, const uint8_t *in,
                           size_t bytes, uint8_t *out, size_t out_bytes) {
    uint8_t context_key[32];
    uint32_t words[8];
    blake3_hash(iv, BLAKE3_DERIVE_KEY_CONTEXT, context, context_bytes, context_key, 32);
    load_key(words, context_key);
    blake3_hash(words, BLAKE3_DERIVE_KEY_MATERIAL, in, bytes, out, out_bytes);
}

void blake3_keyed(const uint8_t key[32], const uint8_t *in, size_t bytes, uint8_t out[32]) {
    kernels_blake3_keyed(key, in, bytes, out, 32);
}

void blake3_derive(enum kernels_context context, const uint8_t *material, size_t bytes,
                   uint8_t *out, size_t out_bytes) {
    blake3_hash(context_keys[context], BLAKE3_DERIVE_KEY_MATERIAL, material, bytes, out, out_bytes);
}

void scalar_derive(enum kernels_context context, struct kernels_lanes salt, size_t salt_bytes,
                   struct kernels_lanes key, size_t key_bytes, struct kernels_lanes out,
                   size_t out_bytes, uint64_t live) {
    uint8_t material[KERNELS_MATERIAL_MAX];
    FOR_LANES(lane, live) {
        if (salt_bytes > 0) memcpy(material, lane_at(salt, lane), salt_bytes);
        memcpy(material + salt_bytes, lane_at(key, lane), key_bytes);
        blake3_derive(context, material, salt_bytes + key_bytes, lane_at(out, lane), out_bytes);
    }
    wipe(material, salt_bytes + key_bytes);
    wipe_stack();
}

void scalar_blake3(struct kernels_lanes in, size_t bytes, struct kernels_lanes out, uint64_t live) {
    FOR_LANES(lane, live)
    blake3_hash(iv, 0, lane_at(in, lane), bytes, lane_at(out, lane), 32);
    wipe_stack();
}

void scalar_blake3_keyed(struct kernels_lanes key, struct kernels_lanes in, size_t bytes,
                         struct kernels_lanes out, uint64_t live) {
    FOR_LANES(lane, live) {
        blake3_keyed(lane_at(key, lane), lane_at(in, lane), bytes, lane_at(out, lane));
    }
    wipe_stack();
}
