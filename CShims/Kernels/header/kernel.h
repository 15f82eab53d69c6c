// Header key stream of LANES32 packets at once. Differs from scalar.c so: in is xored as the key
// stream is stored, so nothing is moved or zeroed before.
#include "../lanes/pass.h"
#include "../rows.h"
#include "chacha.h"

#define MATERIAL 44 // nonce 12 || key 32

PASS void stream_pass(uint8_t *const material[LANES32], uint8_t *const in[LANES32], size_t in_bytes,
                      uint8_t *const out[LANES32], size_t out_bytes, int count) {
    vec32 x[16];
    struct chacha chacha;
    vec32_load_block(material, 0, MATERIAL, x);
    for (int i = 0; i < 3; i++) chacha.nonce[i] = x[i];
    for (int i = 0; i < 8; i++) chacha.key[i] = x[3 + i];
    for (size_t at = 0; at < out_bytes; at += CHACHA_BLOCK) {
        size_t bytes = out_bytes - at, under = at < in_bytes ? in_bytes - at : 0;
        if (bytes > CHACHA_BLOCK) bytes = CHACHA_BLOCK;
        if (under > bytes) under = bytes;
        chacha_block(&chacha, (uint32_t)(at / CHACHA_BLOCK), x);
        vec32_xor_block(in, under, out, count, at, bytes, x);
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
