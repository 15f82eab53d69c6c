// Inverses in lanes, all by one scalar inversion. Included after a field over the lane vocabulary,
// that is after struct factor and struct sum, mul(), reduced(), factor_load() and what they use.
#pragma once
#include "inverse.h"

INLINE struct factor factor_exchange(const struct factor *a, int distance) {
    struct factor out;
    for (size_t i = 0; i < sizeof out.v / sizeof out.v[0]; i++)
        out.v[i] = vec_exchange(a->v[i], distance);
    return out;
}

// out := 1 / a in every lane, and 0 for 0.
ROUTINE void factor_invert(struct factor *out, const struct factor *a,
                           const struct modulus *modulus) {
    // Lanes exchange what they have and multiply, until each has the product of all; `others` is
    // that of all lanes but its own.
    struct sum value = reduced(a);
    const mask is_zero = reduced_is_zero(&value);
    const struct factor zero = factor_small(0), one = factor_small(1);
    struct factor product = factor_select(is_zero, &one, a), others = one;
    for (int distance = 1; distance < LANES; distance *= 2) {
        struct factor partner = factor_exchange(&product, distance);
        others = mul(&others, &partner);
        product = mul(&product, &partner);
    }

    vec word[4];
    uint64_t number[4];
    value = reduced(&product);
    reduced_words(&value, word);
    for (int i = 0; i < 4; i++) number[i] = vec_first(word[i]);
    inverse(number, number, modulus);
    for (int i = 0; i < 4; i++) word[i] = vec_spread(number[i]);
    product = factor_load(word);

    product = mul(&product, &others);
    *out = factor_select(is_zero, &zero, &product);
    wipe(&value, sizeof value);
    wipe(&product, sizeof product);
    wipe(&others, sizeof others);
    wipe(word, sizeof word);
    wipe(number, sizeof number);
}
