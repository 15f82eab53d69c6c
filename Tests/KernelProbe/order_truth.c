#include "order_truth.h"
#include <secp256k1.h>
#include <string.h>

typedef unsigned __int128 wide;

static const struct number order = {
    {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};

// a - b to out; the borrow.
static uint64_t subtract(uint64_t out[4], const uint64_t a[4], const uint64_t b[4]) {
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        wide difference = (wide)a[i] - b[i] - borrow;
        out[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow;
}

// out, which is 0, := a * b
static void multiply(uint64_t out[8], const uint64_t a[4], const uint64_t b[4]) {
    for (int i = 0; i < 4; i++) {
        wide sum = 0;
        for (int k = 0; k < 4; k++) {
            sum += (wide)a[i] * b[k] + out[i + k];
            out[i + k] = (uint64_t)sum;
            sum >>= 64;
        }
        out[i + 4] = (uint64_t)sum;
    }
}

struct number number_of(const uint64_t word[8]) {
    // 2^256 - n: what 2^256 is worth.
    static const uint64_t fold[4] = {0x402da1732fc9bebf, 0x4551231950b75fc4, 1, 0};
    uint64_t value[8], less[4];
    memcpy(value, word, sizeof value);
    while (value[4] | value[5] | value[6] | value[7]) {
        uint64_t product[8] = {0};
        multiply(product, value + 4, fold);
        memset(value + 4, 0, 4 * sizeof *value);
        wide sum = 0;
        for (int i = 0; i < 8; i++) {
            sum += (wide)value[i] + product[i];
            value[i] = (uint64_t)sum;
            sum >>= 64;
        }
    }
    struct number out;
    uint64_t borrow = subtract(less, value, order.v);
    memcpy(out.v, borrow ? value : less, sizeof out.v);
    return out;
}

struct number number_of_limbs(const uint64_t limb[5]) {
    uint64_t word[8] = {0};
    for (int i = 0; i < 5; i++) {
        // limb * 2^(52 i) is added from its lowest word on.
        const int at = 52 * i / 64;
        wide carry = (wide)limb[i] << 52 * i % 64;
        for (int k = at; k < 8; k++) {
            wide sum = (wide)word[k] + (uint64_t)carry;
            word[k] = (uint64_t)sum;
            carry = (carry >> 64) + (uint64_t)(sum >> 64);
        }
    }
    return number_of(word);
}

struct number number_mul(const struct number *a, const struct number *b) {
    uint64_t product[8] = {0};
    multiply(product, a->v, b->v);
    return number_of(product);
}

struct number number_add(const struct number *a, const struct number *b) {
    uint64_t word[8] = {0};
    wide sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (wide)a->v[i] + b->v[i];
        word[i] = (uint64_t)sum;
        sum >>= 64;
    }
    word[4] = (uint64_t)sum;
    return number_of(word);
}

struct number number_negative(const struct number *a) {
    struct number out = {{0}};
    if (!number_is_zero(a)) (void)subtract(out.v, order.v, a->v);
    return out;
}

struct number number_invert(const struct number *a) {
    struct number power = {{1, 0, 0, 0}};
    for (int bit = 255; bit >= 0; bit--) {
        uint64_t word = order.v[bit / 64] - (bit < 64 ? 2 : 0);
        power = number_mul(&power, &power);
        if (word >> bit % 64 & 1) power = number_mul(&power, a);
    }
    return power;
}

int number_is_zero(const struct number *a) { return (a->v[0] | a->v[1] | a->v[2] | a->v[3]) == 0; }

int number_is_high(const struct number *a) {
    uint64_t rest[4], opposite[4];
    if (number_is_zero(a)) return 0;
    (void)subtract(opposite, order.v, a->v);
    return (int)subtract(rest, opposite, a->v);
}

static void store(uint8_t out[32], const struct number *a) {
    for (int i = 0; i < 32; i++) out[31 - i] = (uint8_t)(a->v[i / 8] >> 8 * (i % 8));
}

int number_agrees(const struct number *a, const struct number *b) {
    static _Thread_local secp256k1_context *library;
    struct number product = number_mul(a, b), sum = number_add(a, b);
    uint8_t left[32], right[32], mine[32];
    if (!library) library = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    store(right, b);
    store(left, a);
    store(mine, &product);
    if (!secp256k1_ec_seckey_tweak_mul(library, left, right) || memcmp(left, mine, 32) != 0)
        return 0;
    store(left, a);
    store(mine, &sum);
    // The library has no sum that is 0.
    if (!secp256k1_ec_seckey_tweak_add(library, left, right)) return number_is_zero(&sum);
    return memcmp(left, mine, 32) == 0;
}
