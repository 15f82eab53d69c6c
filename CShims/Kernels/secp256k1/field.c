#include "field.h"

// 2^256 mod p: what a carry out of the top limb is worth.
#define FOLD 0x1000003d1

// r + top * 2^256 for top < 2^64.
static inline struct fp fold_top(const uint64_t r[4], uint64_t top) {
    struct fp out;
    wide sum = (wide)top * FOLD;
    for (int i = 0; i < 4; i++) {
        sum += r[i];
        out.v[i] = (uint64_t)sum;
        sum >>= 64;
    }
    // If that carried, what is left is below 2^98, so the second fold cannot
    // carry.
    sum = (wide)(uint64_t)sum * FOLD;
    for (int i = 0; i < 4; i++) {
        sum += out.v[i];
        out.v[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return out;
}

struct fp fp_add(const struct fp *a, const struct fp *b) {
    uint64_t r[4];
    wide sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (wide)a->v[i] + b->v[i];
        r[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return fold_top(r, (uint64_t)sum);
}

// r - amount over four limbs; returns the borrow.
static inline uint64_t subtract_small(uint64_t r[4], uint64_t amount) {
    uint64_t borrow = amount;
    for (int i = 0; i < 4; i++) {
        wide difference = (wide)r[i] - borrow;
        r[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow;
}

struct fp fp_sub(const struct fp *a, const struct fp *b) {
    struct fp out;
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        wide difference = (wide)a->v[i] - b->v[i] - borrow;
        out.v[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    // A borrow added 2^256, which is FOLD too much; taking that off can borrow
    // once more.
    borrow = subtract_small(out.v, mask_of(borrow) & FOLD);
    (void)subtract_small(out.v, mask_of(borrow) & FOLD);
    return out;
}

struct fp fp_mul(const struct fp *a, const struct fp *b) {
    uint64_t product[8] = {0}, r[4];
    for (int i = 0; i < 4; i++) {
        wide sum = 0;
        for (int k = 0; k < 4; k++) {
            sum += (wide)a->v[i] * b->v[k] + product[i + k];
            product[i + k] = (uint64_t)sum;
            sum >>= 64;
        }
        product[i + 4] = (uint64_t)sum;
    }
    wide sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (wide)product[i + 4] * FOLD + product[i];
        r[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return fold_top(r, (uint64_t)sum);
}

static struct fp square_times_mul(const struct fp *a, int count, const struct fp *b) {
    struct fp out = *a;
    while (count-- > 0) out = fp_square(&out);
    return fp_mul(&out, b);
}

// What both exponents begin with: 223 ones, a zero, 22 ones, then 00001 011.
// x_k is a^(2^k - 1).
static struct fp common_power(const struct fp *a) {
    struct fp x2 = square_times_mul(a, 1, a);
    struct fp x3 = square_times_mul(&x2, 1, a);
    struct fp x6 = square_times_mul(&x3, 3, &x3);
    struct fp x9 = square_times_mul(&x6, 3, &x3);
    struct fp x11 = square_times_mul(&x9, 2, &x2);
    struct fp x22 = square_times_mul(&x11, 11, &x11);
    struct fp x44 = square_times_mul(&x22, 22, &x22);
    struct fp x88 = square_times_mul(&x44, 44, &x44);
    struct fp x176 = square_times_mul(&x88, 88, &x88);
    struct fp x220 = square_times_mul(&x176, 44, &x44);
    struct fp x223 = square_times_mul(&x220, 3, &x3);
    struct fp power = square_times_mul(&x223, 23, &x22);
    power = square_times_mul(&power, 5, a);
    return square_times_mul(&power, 3, &x2);
}

struct fp fp_root_power(const struct fp *a) {
    return common_power(a);
}

// p - 2 = 4 * (p - 3) / 4 + 1
struct fp fp_invert(const struct fp *a) {
    struct fp power = common_power(a);
    return square_times_mul(&power, 2, a);
}

struct fp fp_reduce(const struct fp *a) {
    // a >= p exactly if a + FOLD reaches 2^256, and then the rest of that sum is
    // a - p.
    struct fp less;
    wide sum = FOLD;
    for (int i = 0; i < 4; i++) {
        sum += a->v[i];
        less.v[i] = (uint64_t)sum;
        sum >>= 64;
    }
    struct fp out = *a;
    fp_move(&out, &less, mask_of((uint64_t)sum));
    return out;
}

uint64_t fp_equal(const struct fp *a, const struct fp *b) {
    struct fp x = fp_reduce(a), y = fp_reduce(b);
    uint64_t difference = 0;
    for (int i = 0; i < 4; i++) difference |= x.v[i] ^ y.v[i];
    return mask_of(1 ^ ((barrier(difference) | (0 - difference)) >> 63));
}

struct fp fp_load48(const uint8_t in[48]) {
    uint64_t r[4];
    for (int i = 0; i < 4; i++) r[i] = load64_big(in + 40 - 8 * i);
    const uint64_t high[2] = {load64_big(in + 8), load64_big(in)};
    wide sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += r[i];
        if (i < 2) sum += (wide)high[i] * FOLD;
        r[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return fold_top(r, (uint64_t)sum);
}

void fp_store(uint8_t out[32], const struct fp *a) {
    struct fp reduced = fp_reduce(a);
    for (int i = 0; i < 4; i++) store64_big(out + 24 - 8 * i, reduced.v[i]);
}
