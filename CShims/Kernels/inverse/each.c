// One inversion for several numbers (Montgomery's trick), over a tree of products: the products of
// one height do not wait for each other.
#include "inverse.h"

typedef unsigned __int128 wide;

// a * b / 2^256 modulo m: below m if a or b is, else below 2^256. out may be a or b.
static inline void multiply(uint64_t out[4], const uint64_t a[4], const uint64_t b[4],
                            const struct modulus *m) {
    uint64_t t[5] = {0}, less[4];
    for (int i = 0; i < 4; i++) {
        // Two chains of carries, for the product and for the multiple of m that is added.
        uint64_t times = (t[0] + a[i] * b[0]) * m->minus_inverse;
        wide sum = (wide)a[i] * b[0] + t[0];
        wide more = (wide)times * m->word[0] + (uint64_t)sum;
        for (int k = 1; k < 4; k++) {
            sum = (wide)a[i] * b[k] + t[k] + (uint64_t)(sum >> 64);
            more = (wide)times * m->word[k] + (uint64_t)sum + (uint64_t)(more >> 64);
            t[k - 1] = (uint64_t)more;
        }
        wide top = (wide)t[4] + (uint64_t)(sum >> 64) + (uint64_t)(more >> 64);
        t[3] = (uint64_t)top;
        t[4] = (uint64_t)(top >> 64);
    }
    uint64_t borrow = 0;
    for (int k = 0; k < 4; k++) {
        wide difference = (wide)t[k] - m->word[k] - borrow;
        less[k] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    // Less m unless that is negative: t[4] is 0 or 1.
    uint64_t keep = mask_of(borrow & (t[4] ^ 1));
    for (int k = 0; k < 4; k++) out[k] = less[k] ^ (keep & (t[k] ^ less[k]));
}

// All ones if a is 0, else zero.
static inline uint64_t zero_mask(const uint64_t a[4]) {
    uint64_t any = barrier(a[0] | a[1] | a[2] | a[3]);
    return mask_of(1 ^ (any | (0 - any)) >> 63);
}

void inverse_each(uint64_t (*value)[4], int count, const struct modulus *modulus) {
    // Node i has the product of nodes 2 i + 1 and 2 i + 2; the last `count` nodes are the values,
    // with 1 for 0. Each product is divided by 2^256, which multiplying its inverse by a factor
    // makes good: (2^256 / (a b)) b / 2^256 = 1 / a.
    uint64_t node[2 * INVERSE_EACH_MAX - 1][4], is_zero[INVERSE_EACH_MAX];
    uint64_t(*leaf)[4] = node + count - 1;
    for (int i = 0; i < count; i++) {
        is_zero[i] = zero_mask(value[i]);
        memcpy(leaf[i], value[i], sizeof leaf[i]);
        leaf[i][0] |= is_zero[i] & 1;
    }
    for (int i = count - 2; i >= 0; i--)
        multiply(node[i], node[2 * i + 1], node[2 * i + 2], modulus);
    inverse(node[0], node[0], modulus);
    for (int i = 0; i < count - 1; i++) {
        uint64_t left[4];
        memcpy(left, node[2 * i + 1], sizeof left);
        multiply(node[2 * i + 1], node[i], node[2 * i + 2], modulus);
        multiply(node[2 * i + 2], node[i], left, modulus);
    }
    for (int i = 0; i < count; i++)
        for (int k = 0; k < 4; k++) value[i][k] = leaf[i][k] & ~is_zero[i];
    wipe(node, sizeof node);
    wipe(is_zero, sizeof is_zero);
}
