// Half-keys: uniform scalars modulo n, the order of secp256k1.
#include "../keccak/keccak.h"
#include "../rows.h"

typedef unsigned __int128 wide;

// n, and 2^256 - n: what a carry out of 256 bits is worth. Limbs little-endian.
static const uint64_t order[4] = {
    0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff};
static const uint64_t fold[3] = {0x402da1732fc9bebf, 0x4551231950b75fc4, 1};

// r += amount * fold; returns what carries out of 256 bits.
static uint64_t fold_in(uint64_t r[4], uint64_t amount) {
    wide sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += r[i];
        if (i < 3) sum += (wide)amount * fold[i];
        r[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return (uint64_t)sum;
}

// r -= n if r >= n.
static void subtract_once(uint64_t r[4]) {
    uint64_t less[4], borrow = 0;
    for (int i = 0; i < 4; i++) {
        wide difference = (wide)r[i] - order[i] - borrow;
        less[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    uint64_t keep = mask_of(borrow);
    for (int i = 0; i < 4; i++) r[i] = (keep & r[i]) | (~keep & less[i]);
}

void kernels_secp256k1_reduce48(const uint8_t *in, uint8_t *out) {
    // Five limbs: the low four, and above them high[0] * 2^256 + high[1] * 2^320.
    uint64_t r[4], shifted[4];
    for (int i = 0; i < 4; i++) r[i] = load64_big(in + 40 - 8 * i);
    const uint64_t high[2] = {load64_big(in + 8), load64_big(in)};

    // high[1] * fold * 2^64 has 257 bits, of which `top` is what lies above 256.
    wide sum = 0;
    shifted[0] = 0;
    for (int i = 1; i < 4; i++) {
        sum += (wide)high[1] * fold[i - 1];
        shifted[i] = (uint64_t)sum;
        sum >>= 64;
    }
    uint64_t top = (uint64_t)sum;
    sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (wide)r[i] + shifted[i];
        r[i] = (uint64_t)sum;
        sum >>= 64;
    }
    top += (uint64_t)sum;
    top += fold_in(r, high[0]);

    // top <= 3; folding it in can carry once, and then what is left is below
    // 2^132.
    top = fold_in(r, top);
    (void)fold_in(r, top);
    subtract_once(r);
    for (int i = 0; i < 4; i++) store64_big(out + 24 - 8 * i, r[i]);
    wipe(r, sizeof r);
    wipe(shifted, sizeof shifted);
}

// Domain separation of the two half-keys; both tags have one length.
#define HALF_KEY_TAG(name) "secp256k1_XMD:SHA3-256_SSWU_RO_" name
#define HALF_KEY_TAG_BYTES (sizeof HALF_KEY_TAG("HASH_KEY_OWN_KEY") - 1)

static void half_key(const uint8_t *secret, const char *tag, uint8_t *out) {
    uint8_t uniform[48];
    keccak_expand(
        KECCAK_SHA3, secret, 32, (const uint8_t *)tag, HALF_KEY_TAG_BYTES, uniform, sizeof uniform);
    kernels_secp256k1_reduce48(uniform, out);
    wipe(uniform, sizeof uniform);
}

void scalar_half_keys(struct kernels_lanes secret, struct kernels_lanes own,
                      struct kernels_lanes ack, uint64_t live) {
    FOR_LANES(lane, live) {
        half_key(lane_at(secret, lane), HALF_KEY_TAG("HASH_KEY_OWN_KEY"), lane_at(own, lane));
        half_key(lane_at(secret, lane), HALF_KEY_TAG("HASH_KEY_ACK_KEY"), lane_at(ack, lane));
    }
    wipe_stack();
}
