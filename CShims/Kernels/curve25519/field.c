#include "field.h"

struct fe fe_square_times(const struct fe *a, int count) {
    struct fe out = *a;
    while (count-- > 0) out = fe_square(&out);
    return out;
}

static struct fe square_times_mul(const struct fe *a, int count, const struct fe *b) {
    struct fe power = fe_square_times(a, count);
    return fe_mul(&power, b);
}

// a^(2^250 - 1), and a^11 in passing. x_k is a^(2^k - 1).
static struct fe power_250(const struct fe *a, struct fe *a11) {
    struct fe a2 = fe_square(a);
    struct fe a9 = square_times_mul(&a2, 2, a);
    *a11 = fe_mul(&a9, &a2);
    struct fe x5 = square_times_mul(a11, 1, &a9);
    struct fe x10 = square_times_mul(&x5, 5, &x5);
    struct fe x20 = square_times_mul(&x10, 10, &x10);
    struct fe x40 = square_times_mul(&x20, 20, &x20);
    struct fe x50 = square_times_mul(&x40, 10, &x10);
    struct fe x100 = square_times_mul(&x50, 50, &x50);
    struct fe x200 = square_times_mul(&x100, 100, &x100);
    return square_times_mul(&x200, 50, &x50);
}

struct fe fe_root_power(const struct fe *a) {
    struct fe a11, x250 = power_250(a, &a11);
    return square_times_mul(&x250, 2, a);
}

struct fe fe_invert(const struct fe *a) {
    struct fe a11, x250 = power_250(a, &a11);
    return square_times_mul(&x250, 5, &a11);
}

struct fe fe_load(const uint8_t in[32]) {
    uint64_t w0 = load64(in), w1 = load64(in + 8), w2 = load64(in + 16), w3 = load64(in + 24);
    return (struct fe){{
        w0 & FE_MASK,
        (w0 >> 51 | w1 << 13) & FE_MASK,
        (w1 >> 38 | w2 << 26) & FE_MASK,
        (w2 >> 25 | w3 << 39) & FE_MASK,
        w3 >> 12 & FE_MASK,
    }};
}

// The reduced value in limbs of exactly 51 bits.
static struct fe reduce(const struct fe *a) {
    struct fe t = fe_carry(a->v[0], a->v[1], a->v[2], a->v[3], a->v[4]);
    t = fe_carry(t.v[0], t.v[1], t.v[2], t.v[3], t.v[4]);

    // Now t < 2^255 + 2^13 < 2p, and t >= p exactly if t + 19 reaches 2^255.
    uint64_t carry = 19;
    for (int i = 0; i < 5; i++) carry = (t.v[i] + carry) >> 51;
    carry *= 19;
    for (int i = 0; i < 5; i++) {
        t.v[i] += carry;
        carry = t.v[i] >> 51;
        t.v[i] &= FE_MASK;
    }
    return t;
}

void fe_store(uint8_t out[32], const struct fe *a) {
    struct fe t = reduce(a);
    store64(out, t.v[0] | t.v[1] << 51);
    store64(out + 8, t.v[1] >> 13 | t.v[2] << 38);
    store64(out + 16, t.v[2] >> 26 | t.v[3] << 25);
    store64(out + 24, t.v[3] >> 39 | t.v[4] << 12);
}

uint64_t fe_equal(const struct fe *a, const struct fe *b) {
    struct fe x = reduce(a), y = reduce(b);
    uint64_t difference = 0;
    for (int i = 0; i < 5; i++) difference |= x.v[i] ^ y.v[i];
    // Limbs have 51 bits, so only zero borrows.
    return mask_of((barrier(difference) - 1) >> 63);
}

uint64_t fe_odd(const struct fe *a) { return reduce(a).v[0] & 1; }
