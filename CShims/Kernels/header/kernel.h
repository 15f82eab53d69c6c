// Header key stream of LANES32 packets at once. Differs from scalar.c so: in is xored as the key
// stream is stored, so nothing is moved or zeroed before.
#include "../lanes/pass.h"
#include "../rows.h"
#include "chacha.h"

#define MATERIAL 44 // nonce 12 || key 32

struct stream {
    uint8_t *in[LANES32], *out[LANES32];
    size_t in_bytes, out_bytes;
    int count;
    struct chacha chacha;
    vec32 x[CHACHA_TOGETHER][16];
};

// Functions of their own, so that each has all registers to itself.
PASS void stream_pair(struct stream *stream, uint32_t counter) {
    chacha_blocks(&stream->chacha, counter, CHACHA_TOGETHER, stream->x);
}
PASS void stream_single(struct stream *stream, uint32_t counter) {
    chacha_blocks(&stream->chacha, counter, 1, stream->x);
}
PASS void stream_put(const struct stream *stream, size_t at, const vec32 x[16]) {
    size_t bytes = stream->out_bytes - at, under = 0;
    if (bytes > CHACHA_BLOCK) bytes = CHACHA_BLOCK;
    if (at < stream->in_bytes) under = stream->in_bytes - at;
    if (under > bytes) under = bytes;
    vec32_xor_block(stream->in, under, stream->out, stream->count, at, bytes, x);
}

PASS void stream_pass(struct stream *stream, uint8_t *const material[LANES32]) {
    vec32 *words = stream->x[0];
    vec32_load_block(material, 0, MATERIAL, words);
    for (int i = 0; i < 3; i++) stream->chacha.nonce[i] = words[i];
    for (int i = 0; i < 8; i++) stream->chacha.key[i] = words[3 + i];
    uint32_t counter = 0;
    for (size_t at = 0; at < stream->out_bytes; at += CHACHA_BLOCK, counter++) {
        uint32_t which = counter % CHACHA_TOGETHER;
        if (which == 0 && stream->out_bytes - at > CHACHA_BLOCK)
            stream_pair(stream, counter);
        else if (which == 0)
            stream_single(stream, counter);
        stream_put(stream, at, stream->x[which]);
    }
}

TARGET void ROW(header_stream)(struct kernels_lanes material, struct kernels_lanes in,
                               size_t in_bytes, struct kernels_lanes out, size_t out_bytes,
                               uint64_t live) {
    if (pass_few(live, STREAM_FEW)) {
        scalar_header_stream(material, in, in_bytes, out, out_bytes, live);
        return;
    }
    struct stream stream;
    uint8_t *keys[LANES32];
    stream.in_bytes = in_bytes, stream.out_bytes = out_bytes;
    while (!pass_few(live, STREAM_FEW)) {
        struct pass pass = pass_take(&live);
        stream.count = pass.count;
        pass_at(&pass, material, keys);
        pass_at(&pass, in_bytes > 0 ? in : out, stream.in);
        pass_at(&pass, out, stream.out);
        stream_pass(&stream, keys);
    }
    wipe(&stream, sizeof stream);
    if (live != 0) scalar_header_stream(material, in, in_bytes, out, out_bytes, live);
    wipe_stack();
}
