#include "../rows.h"
#include "keccak.h"
#include "tables.h"

static inline uint64_t rotate(uint64_t value, int left) {
    return left == 0 ? value : value << left | value >> (64 - left);
}

// One row after rho and pi: b0..b4 are the lanes that pi brings into it.
#define CHI_ROW(row, b0, b1, b2, b3, b4)                                                           \
    do {                                                                                           \
        uint64_t c0 = (b0), c1 = (b1), c2 = (b2), c3 = (b3), c4 = (b4);                            \
        out[5 * (row) + 0] = c0 ^ (~c1 & c2);                                                      \
        out[5 * (row) + 1] = c1 ^ (~c2 & c3);                                                      \
        out[5 * (row) + 2] = c2 ^ (~c3 & c4);                                                      \
        out[5 * (row) + 3] = c3 ^ (~c4 & c0);                                                      \
        out[5 * (row) + 4] = c4 ^ (~c0 & c1);                                                      \
    } while (0)

// Lane (x, y) is a[5 * y + x].
#define LANE(x, y, left) rotate(in[5 * (y) + (x)] ^ d[x], left)

static inline void keccak_round(uint64_t out[25], const uint64_t in[25], uint64_t constant) {
    // theta: each column's parity goes into its neighbours.
    uint64_t c[5], d[5];
    for (int x = 0; x < 5; x++) c[x] = in[x] ^ in[x + 5] ^ in[x + 10] ^ in[x + 15] ^ in[x + 20];
    for (int x = 0; x < 5; x++) d[x] = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);

    // rho (the rotations), pi (which lane goes where), chi.
    CHI_ROW(0, LANE(0, 0, 0), LANE(1, 1, 44), LANE(2, 2, 43), LANE(3, 3, 21), LANE(4, 4, 14));
    CHI_ROW(1, LANE(3, 0, 28), LANE(4, 1, 20), LANE(0, 2, 3), LANE(1, 3, 45), LANE(2, 4, 61));
    CHI_ROW(2, LANE(1, 0, 1), LANE(2, 1, 6), LANE(3, 2, 25), LANE(4, 3, 8), LANE(0, 4, 18));
    CHI_ROW(3, LANE(4, 0, 27), LANE(0, 1, 36), LANE(1, 2, 10), LANE(2, 3, 15), LANE(3, 4, 56));
    CHI_ROW(4, LANE(2, 0, 62), LANE(3, 1, 55), LANE(4, 2, 39), LANE(0, 3, 41), LANE(1, 4, 2));

    // iota.
    out[0] ^= constant;
}

void keccak_permute(uint64_t state[25]) {
    uint64_t other[25];
    for (int round = 0; round < 24; round += 2) {
        keccak_round(other, state, round_constants[round]);
        keccak_round(state, other, round_constants[round + 1]);
    }
}

void sponge_init(struct sponge *sponge) { memset(sponge, 0, sizeof *sponge); }

void sponge_init_zero_block(struct sponge *sponge) {
    memcpy(sponge->state, permuted_zero, sizeof sponge->state);
    sponge->filled = 0;
}

static inline void absorb_byte(struct sponge *sponge, size_t place, uint8_t byte) {
    sponge->state[place / 8] ^= (uint64_t)byte << (8 * (place % 8));
}

void sponge_absorb(struct sponge *sponge, const uint8_t *in, size_t bytes) {
    while (bytes > 0) {
        if (sponge->filled % 8 == 0 && bytes >= 8) {
            sponge->state[sponge->filled / 8] ^= load64(in);
            sponge->filled += 8, in += 8, bytes -= 8;
        } else {
            absorb_byte(sponge, sponge->filled, *in);
            sponge->filled += 1, in += 1, bytes -= 1;
        }
        if (sponge->filled == KECCAK_RATE) {
            keccak_permute(sponge->state);
            sponge->filled = 0;
        }
    }
}

void sponge_finish(struct sponge *sponge, enum keccak_padding padding, uint8_t out[32]) {
    absorb_byte(sponge, sponge->filled, (uint8_t)padding);
    absorb_byte(sponge, KECCAK_RATE - 1, 0x80);
    keccak_permute(sponge->state);
    for (int i = 0; i < 4; i++) store64(out + 8 * i, sponge->state[i]);
    wipe(sponge, sizeof *sponge);
}

static void hash(enum keccak_padding padding, const uint8_t *in, size_t bytes, uint8_t *out) {
    struct sponge sponge;
    sponge_init(&sponge);
    sponge_absorb(&sponge, in, bytes);
    sponge_finish(&sponge, padding, out);
}

void kernels_keccak256(const uint8_t *in, size_t bytes, uint8_t *out) {
    hash(KECCAK_ETHEREUM, in, bytes, out);
}

void kernels_sha3_256(const uint8_t *in, size_t bytes, uint8_t *out) {
    hash(KECCAK_SHA3, in, bytes, out);
}

void keccak_expand(enum keccak_padding padding, const uint8_t *msg, size_t msg_bytes,
                   const uint8_t *dst, size_t dst_bytes, uint8_t *out, size_t out_bytes) {
    const uint8_t length[3] = {(uint8_t)(out_bytes >> 8), (uint8_t)out_bytes, 0};
    const uint8_t dst_length = (uint8_t)dst_bytes;
    struct sponge sponge;
    uint8_t first[32], block[32] = {0};

    // b_0 := H(zero block || msg || length || 0 || dst || length of dst)
    sponge_init_zero_block(&sponge);
    sponge_absorb(&sponge, msg, msg_bytes);
    sponge_absorb(&sponge, length, 3);
    sponge_absorb(&sponge, dst, dst_bytes);
    sponge_absorb(&sponge, &dst_length, 1);
    sponge_finish(&sponge, padding, first);

    // b_i := H((b_0 ^ b_(i-1)) || i || dst || length of dst), with zero for b_0
    // in the first.
    for (uint8_t i = 1; out_bytes > 0; i++) {
        for (int k = 0; k < 32; k++) block[k] ^= first[k];
        sponge_init(&sponge);
        sponge_absorb(&sponge, block, 32);
        sponge_absorb(&sponge, &i, 1);
        sponge_absorb(&sponge, dst, dst_bytes);
        sponge_absorb(&sponge, &dst_length, 1);
        sponge_finish(&sponge, padding, block);

        size_t part = out_bytes < 32 ? out_bytes : 32;
        memcpy(out, block, part);
        out += part, out_bytes -= part;
    }
    wipe(first, sizeof first);
    wipe(block, sizeof block);
}

void kernels_expand_keccak256(const uint8_t *msg, size_t msg_bytes, const uint8_t *dst,
                              size_t dst_bytes, uint8_t *out, size_t out_bytes) {
    keccak_expand(KECCAK_ETHEREUM, msg, msg_bytes, dst, dst_bytes, out, out_bytes);
}

void kernels_expand_sha3_256(const uint8_t *msg, size_t msg_bytes, const uint8_t *dst,
                             size_t dst_bytes, uint8_t *out, size_t out_bytes) {
    keccak_expand(KECCAK_SHA3, msg, msg_bytes, dst, dst_bytes, out, out_bytes);
}

void scalar_keccak256(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                      uint64_t live) {
    FOR_LANES(lane, live)
    kernels_keccak256(lane_at(in, lane), bytes, lane_at(out, lane));
    wipe_stack();
}

void scalar_keccak_iterate(struct kernels_lanes value, size_t count, uint64_t live) {
    FOR_LANES(lane, live) {
        uint8_t *bytes = lane_at(value, lane);
        uint64_t state[25];
        for (int i = 0; i < 4; i++) state[i] = load64(bytes + 8 * i);
        for (size_t step = 0; step < count; step++) {
            memset(state + 4, 0, sizeof state - 4 * sizeof state[0]);
            state[4] = KECCAK_ETHEREUM;
            state[KECCAK_RATE / 8 - 1] ^= (uint64_t)0x80 << 56;
            keccak_permute(state);
        }
        for (int i = 0; i < 4; i++) store64(bytes + 8 * i, state[i]);
        wipe(state, sizeof state);
    }
    wipe_stack();
}
