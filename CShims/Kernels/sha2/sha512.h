// SHA-512's compression over 64-bit lanes. Include after a lane vocabulary.
#pragma once
#include "tables.h"

#define SHA512_BLOCK 128

// Letter k of the eight, `a` being 0, as step i finds it: the letters move on, the words stay.
#define SHA512_LETTER(k, i) s[((k) - (i)) & 7]

INLINE vec sha512_sum_a(vec a) {
    return vec_xor3(vec_rol(a, 64 - 28), vec_rol(a, 64 - 34), vec_rol(a, 64 - 39));
}
INLINE vec sha512_sum_e(vec e) {
    return vec_xor3(vec_rol(e, 64 - 14), vec_rol(e, 64 - 18), vec_rol(e, 64 - 41));
}

// `in` is the step's word of the message and its constant.
INLINE void sha512_step(vec a, vec b, vec c, vec *d, vec e, vec f, vec g, vec *h, vec in) {
    vec t = vec_add(vec_add(*h, in), vec_add(sha512_sum_e(e), vec_choose(e, f, g)));
    *d = vec_add(*d, t);
    *h = vec_add(t, vec_add(sha512_sum_a(a), vec_majority(a, b, c)));
}
#define SHA512_STEP(i)                                                                             \
    sha512_step(SHA512_LETTER(0, i),                                                               \
                SHA512_LETTER(1, i),                                                               \
                SHA512_LETTER(2, i),                                                               \
                &SHA512_LETTER(3, i),                                                              \
                SHA512_LETTER(4, i),                                                               \
                SHA512_LETTER(5, i),                                                               \
                SHA512_LETTER(6, i),                                                               \
                &SHA512_LETTER(7, i),                                                              \
                vec_add(w[i], vec_set(constant[i])))

// Word i of the next sixteen, in the place of this one.
INLINE vec sha512_expand(vec w, vec w1, vec w9, vec w14) {
    vec near = vec_xor3(vec_rol(w1, 64 - 1), vec_rol(w1, 64 - 8), vec_shr(w1, 7));
    vec far = vec_xor3(vec_rol(w14, 64 - 19), vec_rol(w14, 64 - 61), vec_shr(w14, 6));
    return vec_add(vec_add(w, near), vec_add(w9, far));
}
#define SHA512_EXPAND(i)                                                                           \
    w[i] = sha512_expand(w[i], w[((i) + 1) & 15], w[((i) + 9) & 15], w[((i) + 14) & 15])

INLINE void sha512_begin(vec state[8]) {
    for (int i = 0; i < 8; i++) state[i] = vec_set(sha512_start[i]);
}

// state := state after one block of every lane. words: the block's sixteen, as numbers. Leaves its
// secrets on the stack; wipe_stack() reaches them.
ROUTINE void sha512_compress(vec state[8], const vec words[16]) {
    vec s[8], w[16];
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int i = 0; i < 16; i++) w[i] = words[i];
    for (const uint64_t *constant = sha512_rounds;; constant += 16) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) SHA512_STEP(i);
        if (constant == sha512_rounds + 64) break;
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) SHA512_EXPAND(i);
    }
    for (int i = 0; i < 8; i++) state[i] = vec_add(state[i], s[i]);
}
