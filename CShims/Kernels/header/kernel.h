// Header key stream of LANES32 packets at once. Differs from scalar.c so: in is xored as the key
// stream is stored, so nothing is moved or zeroed before.
#include "../lanes/pass.h"
#include "../rows.h"
#include "chacha.h"

#define MATERIAL 44 // nonce 12 || key 32

PASS void stream_pass(uint8_t *const material[LANES32], uint8_t *const in[LANES32], size_t in_bytes,
                      uint8_t *const out[LANES32], size_t out_bytes, int count) {
    vec32 x[CHACHA_TOGETHER][16];
    struct chacha chacha;
    vec32_load_block(material, 0, MATERIAL, x[0]);
    for (int i = 0; i < 3; i++) chacha.nonce[i] = x[0][i];
    for (int i = 0; i < 8; i++) chacha.key[i] = x[0][3 + i];
    uint32_t counter = 0, ready = 0; // blocks begun, and made
    for (size_t at = 0; at < out_bytes; at += CHACHA_BLOCK, counter++) {
        size_t bytes = out_bytes - at, under = at < in_bytes ? in_bytes - at : 0;
        if (counter == ready) {
            int alone = bytes <= CHACHA_BLOCK;
            if (alone)
                chacha_blocks(&chacha, counter, 1, x);
            else
                chacha_blocks(&chacha, counter, CHACHA_TOGETHER, x);
            ready += CHACHA_TOGETHER;
        }
        if (bytes > CHACHA_BLOCK) bytes = CHACHA_BLOCK;
        if (under > bytes) under = bytes;
        vec32_xor_block(in, under, out, count, at, bytes, x[counter % CHACHA_TOGETHER]);
    }
}

TARGET void ROW(header_stream)(struct kernels_lanes material, struct kernels_lanes in,
                               size_t in_bytes, struct kernels_lanes out, size_t out_bytes,
                               uint64_t live) {
    uint8_t *keys[LANES32], *from[LANES32], *to[LANES32];
    while (!pass_few(live, STREAM_FEW)) {
        struct pass pass = pass_take(&live);
        pass_at(&pass, material, keys);
        pass_at(&pass, in_bytes > 0 ? in : out, from);
        pass_at(&pass, out, to);
        stream_pass(keys, from, in_bytes, to, out_bytes, pass.count);
    }
    if (live != 0) scalar_header_stream(material, in, in_bytes, out, out_bytes, live);
    wipe_stack();
}
