#include "order.h"
#include "../rows.h"

typedef unsigned __int128 wide;

static const struct scalar order = {
    {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0x0000000000000000, 0x1000000000000000}};
// -1 / l mod 2^64.
static const uint64_t order_inverse = 0xd2b51da312547e1b;
// 2^256 mod l and 2^512 mod l.
#define RADIX                                                                                      \
    {                                                                                              \
        { 0xd6ec31748d98951d, 0xc6ef5bf4737dcf70, 0xfffffffffffffffe, 0x0fffffffffffffff }         \
    }
#define RADIX_SQUARE                                                                               \
    {                                                                                              \
        { 0xa40611e3449c0f01, 0xd00e1ba768859347, 0xceec73d217f5be65, 0x0399411b7c309a3d }         \
    }
static const struct scalar radix = RADIX, radix_square = RADIX_SQUARE;
const struct scalar_multiplier scalar_one = {RADIX, RADIX_SQUARE};

struct scalar scalar_load(const uint8_t in[32]) {
    struct scalar out;
    for (int i = 0; i < 4; i++) out.v[i] = load64(in + 8 * i);
    return out;
}

void scalar_store(uint8_t out[32], const struct scalar *a) {
    for (int i = 0; i < 4; i++) store64(out + 8 * i, a->v[i]);
}

// t mod l for t < 2l.
static struct scalar subtract_once(const uint64_t t[4]) {
    struct scalar out;
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        wide difference = (wide)t[i] - order.v[i] - borrow;
        out.v[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    uint64_t keep = mask_of(borrow);
    for (int i = 0; i < 4; i++) out.v[i] ^= keep & (out.v[i] ^ t[i]);
    return out;
}

// a * b / 2^256 mod l (Montgomery 1985), one limb of a at a time. One of a and
// b is below l and the other below 2^256: then the sum stays below 2^257 and
// the result before subtraction below 2l.
static struct scalar montgomery(const struct scalar *a, const struct scalar *b) {
    uint64_t t[5] = {0};
    for (int i = 0; i < 4; i++) {
        wide sum = 0;
        for (int k = 0; k < 4; k++) {
            sum += (wide)a->v[i] * b->v[k] + t[k];
            t[k] = (uint64_t)sum;
            sum >>= 64;
        }
        wide top = sum + t[4];

        uint64_t m = t[0] * order_inverse;
        sum = ((wide)m * order.v[0] + t[0]) >> 64;
        for (int k = 1; k < 4; k++) {
            sum += (wide)m * order.v[k] + t[k];
            t[k - 1] = (uint64_t)sum;
            sum >>= 64;
        }
        sum += top;
        t[3] = (uint64_t)sum;
        t[4] = (uint64_t)(sum >> 64);
    }
    return subtract_once(t);
}

struct scalar scalar_reduce(const struct scalar *a) {
    return montgomery(a, &radix);
}

struct scalar scalar_product(const struct scalar *a, const struct scalar *b) {
    struct scalar scaled = montgomery(a, &radix_square);
    return montgomery(&scaled, b);
}

struct scalar scalar_clamped(const uint8_t in[32]) {
    struct scalar out = scalar_load(in);
    out.v[0] &= ~(uint64_t)7;
    out.v[3] &= ~((uint64_t)1 << 63);
    out.v[3] |= (uint64_t)1 << 62;
    return scalar_reduce(&out);
}

struct scalar scalar_sum(const struct scalar *a, const struct scalar *b) {
    uint64_t t[4];
    wide sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (wide)a->v[i] + b->v[i];
        t[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return subtract_once(t);
}

struct scalar_multiplier scalar_multiplier(const struct scalar *a) {
    struct scalar_multiplier out;
    out.low = montgomery(a, &radix_square);
    out.high = montgomery(&out.low, &radix_square);
    return out;
}

struct scalar scalar_product_wide(const uint8_t in[64], const struct scalar_multiplier *a) {
    struct scalar low = scalar_load(in), high = scalar_load(in + 32);
    low = montgomery(&low, &a->low);
    high = montgomery(&high, &a->high);
    return scalar_sum(&low, &high);
}

void scalar_scalar_clamp_reduce(struct kernels_lanes in, struct kernels_lanes out, uint64_t live) {
    FOR_LANES(lane, live) {
        struct scalar value = scalar_clamped(lane_at(in, lane));
        scalar_store(lane_at(out, lane), &value);
        wipe(&value, sizeof value);
    }
    wipe_stack();
}

void scalar_scalar_mul(struct kernels_lanes a, struct kernels_lanes b, struct kernels_lanes out,
                       uint64_t live) {
    FOR_LANES(lane, live) {
        struct scalar x = scalar_load(lane_at(a, lane)), y = scalar_load(lane_at(b, lane));
        struct scalar value = scalar_product(&x, &y);
        scalar_store(lane_at(out, lane), &value);
        wipe(&x, sizeof x);
        wipe(&y, sizeof y);
        wipe(&value, sizeof value);
    }
    wipe_stack();
}
