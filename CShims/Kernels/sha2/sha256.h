// SHA-256's compression over 32-bit lanes. Include after a lane vocabulary.
#pragma once
#include "tables.h"

#define SHA256_BLOCK 64

// Letter k of the eight, `a` being 0, as step i finds it: the letters move on, the words stay.
#define SHA256_LETTER(k, i) s[((k) - (i)) & 7]

INLINE vec32 sha256_sum_a(vec32 a) {
    return vec32_xor3(vec32_rol(a, 32 - 2), vec32_rol(a, 32 - 13), vec32_rol(a, 32 - 22));
}
INLINE vec32 sha256_sum_e(vec32 e) {
    return vec32_xor3(vec32_rol(e, 32 - 6), vec32_rol(e, 32 - 11), vec32_rol(e, 32 - 25));
}

// `in` is the step's word of the message and its constant.
INLINE void sha256_step(vec32 a, vec32 b, vec32 c, vec32 *d, vec32 e, vec32 f, vec32 g, vec32 *h,
                        vec32 in) {
    vec32 t = vec32_add(vec32_add(*h, in), vec32_add(sha256_sum_e(e), vec32_choose(e, f, g)));
    *d = vec32_add(*d, t);
    *h = vec32_add(t, vec32_add(sha256_sum_a(a), vec32_majority(a, b, c)));
}
#define SHA256_STEP(i)                                                                             \
    sha256_step(SHA256_LETTER(0, i),                                                               \
                SHA256_LETTER(1, i),                                                               \
                SHA256_LETTER(2, i),                                                               \
                &SHA256_LETTER(3, i),                                                              \
                SHA256_LETTER(4, i),                                                               \
                SHA256_LETTER(5, i),                                                               \
                SHA256_LETTER(6, i),                                                               \
                &SHA256_LETTER(7, i),                                                              \
                vec32_add(w[i], vec32_set(constant[i])))

// Word i of the next sixteen, in the place of this one.
INLINE vec32 sha256_expand(vec32 w, vec32 w1, vec32 w9, vec32 w14) {
    vec32 near = vec32_xor3(vec32_rol(w1, 32 - 7), vec32_rol(w1, 32 - 18), vec32_shr(w1, 3));
    vec32 far = vec32_xor3(vec32_rol(w14, 32 - 17), vec32_rol(w14, 32 - 19), vec32_shr(w14, 10));
    return vec32_add(vec32_add(w, near), vec32_add(w9, far));
}
#define SHA256_EXPAND(i)                                                                           \
    w[i] = sha256_expand(w[i], w[((i) + 1) & 15], w[((i) + 9) & 15], w[((i) + 14) & 15])

INLINE void sha256_begin(vec32 state[8]) {
    for (int i = 0; i < 8; i++) state[i] = vec32_set(sha256_start[i]);
}

// state := state after one block of every lane. words: the block's sixteen, as numbers. Leaves its
// secrets on the stack; wipe_stack() reaches them.
ROUTINE void sha256_compress(vec32 state[8], const vec32 words[16]) {
    vec32 s[8], w[16];
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int i = 0; i < 16; i++) w[i] = words[i];
    for (const uint32_t *constant = sha256_rounds;; constant += 16) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) SHA256_STEP(i);
        if (constant == sha256_rounds + 48) break;
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) SHA256_EXPAND(i);
    }
    for (int i = 0; i < 8; i++) state[i] = vec32_add(state[i], s[i]);
}
