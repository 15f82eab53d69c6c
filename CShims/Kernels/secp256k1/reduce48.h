// 48 bytes modulo n, the order of secp256k1, one number in each lane.
//
// Differs from order.c in its limbs: 52 bits instead of 64, and in what is folded first: the part
// above 2^260 in one piece.
#pragma once

#define N_LIMB (((uint64_t)1 << 52) - 1)
#define N_TOP  (((uint64_t)1 << 48) - 1) // the fifth limb of a number below 2^256

// 2^256 - n and 16 times that: what 2^256 and 2^260 are worth.
static const uint64_t fold256[3] = {0xda1732fc9bebf, 0x1950b75fc4402, 0x1455123};
static const uint64_t fold260[3] = {0xa1732fc9bebf0, 0x950b75fc4402d, 0x14551231};

// v: words, the least first. low is below 2^260; high counts 2^260, and only the low 52 bits of its
// limbs count.
INLINE void reduce48_limbs(const vec v[6], vec low[5], vec high[3]) {
    const vec limb = vec_set(N_LIMB);
    low[0] = vec_and(v[0], limb);
    low[1] = vec_and(vec_or(vec_shr(v[0], 52), vec_shl(v[1], 12)), limb);
    low[2] = vec_and(vec_or(vec_shr(v[1], 40), vec_shl(v[2], 24)), limb);
    low[3] = vec_and(vec_or(vec_shr(v[2], 28), vec_shl(v[3], 36)), limb);
    low[4] = vec_and(vec_or(vec_shr(v[3], 16), vec_shl(v[4], 48)), limb);
    high[0] = vec_factor(vec_shr(v[4], 4));
    high[1] = vec_factor(vec_or(vec_shr(v[4], 56), vec_shl(v[5], 8)));
    high[2] = vec_shr(v[5], 44);
}

// Brings limbs 0..3 below 2^52; limb 4 takes what is above.
INLINE void reduce48_carry(vec t[5]) {
    for (int i = 0; i < 4; i++) {
        t[i + 1] = vec_add(t[i + 1], vec_shr(t[i], 52));
        t[i] = vec_and(t[i], vec_set(N_LIMB));
    }
}

// t := t mod 2^256 + amount * fold256, for amount < 2^5 (so that the highest product fits a limb).
INLINE void reduce48_fold(vec t[5], vec amount) {
    t[4] = vec_and(t[4], vec_set(N_TOP));
    for (int i = 0; i < 3; i++) {
        t[i] = vec_add_low(t[i], amount, vec_set(fold256[i]));
        if (i < 2) t[i + 1] = vec_add_high(t[i + 1], amount, vec_set(fold256[i]));
    }
    reduce48_carry(t);
}

// words: in and out big-endian, as they lie in memory; out has four.
INLINE void reduce48(const vec in[6], vec out[4]) {
    vec words[6], t[5], high[3];
    for (int i = 0; i < 6; i++) words[i] = vec_swap_bytes(in[5 - i]);
    reduce48_limbs(words, t, high);

    // The columns stay below 7 * 2^52. high[2] < 2^20 and fold260[2] < 2^29, so there is no
    // column 5.
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            t[i + k] = vec_add_low(t[i + k], high[i], vec_set(fold260[k]));
            if (i + k < 4) t[i + k + 1] = vec_add_high(t[i + k + 1], high[i], vec_set(fold260[k]));
        }
    }
    reduce48_carry(t);

    // t < 2^260 + 2^257, then below 2^256 + 2^134: at most once too large by n.
    reduce48_fold(t, vec_shr(t[4], 48));
    vec above = vec_set(0);
    for (int i = 0; i < 5; i++) {
        vec sum = vec_add(t[i], above);
        if (i < 3) sum = vec_add(sum, vec_set(fold256[i]));
        above = vec_shr(sum, i < 4 ? 52 : 48);
    }
    // t - n, if t + 2^256 - n reaches 2^256.
    reduce48_fold(t, above);
    t[4] = vec_and(t[4], vec_set(N_TOP));

    out[3] = vec_swap_bytes(vec_or(t[0], vec_shl(t[1], 52)));
    out[2] = vec_swap_bytes(vec_or(vec_shr(t[1], 12), vec_shl(t[2], 40)));
    out[1] = vec_swap_bytes(vec_or(vec_shr(t[2], 24), vec_shl(t[3], 28)));
    out[0] = vec_swap_bytes(vec_or(vec_shr(t[3], 36), vec_shl(t[4], 16)));
}
