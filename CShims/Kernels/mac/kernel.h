// Poly1305 and the comparison of tags, one packet in each lane.
//
// Differs from the scalar row, libsodium's, in its limbs: 44, 44 and 42 bits, for products whose
// halves are cut at bit 52. The high half of a product in column k (weight 2^(44 k)) counts
// 2^(44 k + 52), which is 2^8 in column k + 1, and behind column 2 it is 2^10 times 2^130 = 5.
#include "../lanes/group.h"
#include "../rows.h"

#define LIMB (((uint64_t)1 << 44) - 1)
#define TOP  (((uint64_t)1 << 42) - 1)

// A product of column 3 or 4 counts 2^132 = 20 in column 0 or 1: r20 holds 20 r1 and 20 r2.
struct mac {
    vec r[3];   // below 2^44, 2^44, 2^36
    vec r20[3]; // unused, below 2^49, 2^41
    vec h[3];   // below 2^44, 2^44 + 2^7, 2^42
    vec s0, s1; // what is added in the end
};

// limbs := the number with the 64-bit words low and high; limbs[2] is below 2^40.
INLINE void mac_limbs(vec low, vec high, vec limbs[3]) {
    limbs[0] = vec_and(low, vec_set(LIMB));
    limbs[1] = vec_and(vec_or(vec_shr(low, 44), vec_shl(high, 20)), vec_set(LIMB));
    limbs[2] = vec_shr(high, 24);
}

INLINE void mac_start(struct mac *mac, const vec key[4]) {
    vec low = vec_and(key[0], vec_set(0x0ffffffc0fffffff));
    vec high = vec_and(key[1], vec_set(0x0ffffffc0ffffffc));
    mac_limbs(low, high, mac->r);
    for (int i = 1; i < 3; i++) mac->r20[i] = vec_add(vec_shl(mac->r[i], 4), vec_shl(mac->r[i], 2));
    for (int i = 0; i < 3; i++) mac->h[i] = vec_set(0);
    mac->s0 = key[2], mac->s1 = key[3];
}

// h := (h + block) * r. With the block h is below 2^45, 2^45 + 2^7, 2^43, so that every factor is
// below 2^52; sums are below 2^54 and need no carry before the end.
INLINE void mac_block(struct mac *mac, vec word0, vec word1) {
    const vec *r = mac->r, *r20 = mac->r20;
    vec a[3], low[3], high[3];
    mac_limbs(word0, word1, a);
    a[2] = vec_or(a[2], vec_set((uint64_t)1 << 40));
    for (int i = 0; i < 3; i++) a[i] = vec_add(a[i], mac->h[i]);

    for (int k = 0; k < 3; k++) {
        low[k] = vec_set(0), high[k] = vec_set(0);
        for (int n = 0; n < 3; n++) {
            int i = (n + 2) % 3; // h[2] is there first, h[1] last
            vec factor = i <= k ? r[k - i] : r20[k - i + 3];
            low[k] = vec_add_low(low[k], a[i], factor);
            high[k] = vec_add_high(high[k], a[i], factor);
        }
    }

    low[1] = vec_add(low[1], vec_add(vec_shl(high[0], 8), vec_shr(low[0], 44)));
    low[2] = vec_add(low[2], vec_add(vec_shl(high[1], 8), vec_shr(low[1], 44)));
    vec carry = vec_add(vec_shl(high[2], 10), vec_shr(low[2], 42)); // below 2^49
    carry = vec_add(carry, vec_shl(carry, 2));
    vec least = vec_add(vec_and(low[0], vec_set(LIMB)), carry);
    mac->h[0] = vec_and(least, vec_set(LIMB));
    mac->h[1] = vec_add(vec_and(low[1], vec_set(LIMB)), vec_shr(least, 44));
    mac->h[2] = vec_and(low[2], vec_set(TOP));
}

// tag := (h mod 2^130 - 5) + s mod 2^128. h is below twice the modulus: it is to be taken away once
// if h + 5 reaches 2^130, and modulo 2^128 that is the same as to add 5.
INLINE void mac_finish(const struct mac *mac, vec tag[2]) {
    const vec *h = mac->h;
    vec s[3];
    vec above = vec_shr(vec_add(h[0], vec_set(5)), 44);
    above = vec_shr(vec_add(h[1], above), 44);
    above = vec_shr(vec_add(h[2], above), 42);
    above = vec_add(above, vec_shl(above, 2));

    mac_limbs(mac->s0, mac->s1, s);
    vec t0 = vec_add(vec_add(h[0], s[0]), above);
    vec t1 = vec_add(vec_add(h[1], s[1]), vec_shr(t0, 44));
    vec t2 = vec_add(vec_add(h[2], s[2]), vec_shr(t1, 44));
    t0 = vec_and(t0, vec_set(LIMB)), t1 = vec_and(t1, vec_set(LIMB));
    tag[0] = vec_or(t0, vec_shl(t1, 44));
    tag[1] = vec_or(vec_shr(t1, 20), vec_shl(t2, 24));
}

#ifdef ROW
// Its own function, so that wipe_stack() reaches what it held.
static TARGET __attribute__((noinline)) void mac_group(const uint8_t *const key[LANES],
                                                       const uint8_t *const in[LANES], size_t bytes,
                                                       uint8_t *const out[LANES]) {
    struct mac mac;
    vec words[8];
    vec_load_block(key, 0, 32, words);
    mac_start(&mac, words);
    for (size_t offset = 0; offset < bytes; offset += 64) {
        size_t left = bytes - offset;
        vec_load_block(in, offset, left < 64 ? left : 64, words);
        for (size_t at = 0; at < 64 && at < left; at += 16)
            mac_block(&mac, words[at / 8], words[at / 8 + 1]);
    }
    mac_finish(&mac, words);
    vec_store_block(out, 0, 16, words);
}

TARGET void ROW(header_mac)(struct kernels_lanes key, struct kernels_lanes in, size_t bytes,
                            struct kernels_lanes out, uint64_t live) {
    uint8_t dummy[16];
    const uint8_t *keys[LANES], *from[LANES];
    uint8_t *to[LANES];
    uint64_t rest = group_rest(live, MAC_LEAST);
    if (rest != 0) scalar_header_mac(key, in, bytes, out, rest);
    if ((live &= ~rest) == 0) return;
    while (live != 0) {
        struct group group = group_next(&live);
        group_read(&group, key, keys);
        group_read(&group, in, from);
        group_write(&group, out, dummy, to);
        mac_group(keys, from, bytes, to);
    }
    wipe(dummy, sizeof dummy);
    wipe_stack();
}

TARGET uint64_t ROW(equal)(struct kernels_lanes a, struct kernels_lanes b, size_t bytes,
                           uint64_t live) {
    const uint8_t *left[LANES], *right[LANES];
    vec x[8], y[8];
    uint64_t same = 0;
    while (live != 0) {
        struct group group = group_next(&live);
        group_read(&group, a, left);
        group_read(&group, b, right);
        vec difference = vec_set(0);
        for (size_t at = 0; at < bytes; at += 64) {
            size_t part = bytes - at < 64 ? bytes - at : 64;
            vec_load_block(left, at, part, x);
            vec_load_block(right, at, part, y);
            for (int k = 0; k < 8; k++) difference = vec_or(difference, vec_xor(x[k], y[k]));
        }
        uint64_t equal = mask_lanes(vec_zero_mask(difference));
        for (int i = 0; i < group.count; i++) same |= (equal >> i & 1) << group.lane[i];
    }
    return same;
}
#endif
