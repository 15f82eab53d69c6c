// Makes the tables of window.h. Variable time: points are public.
//
// The multiples 2^i P come from a chain of doublings, which one lane is enough for, so that is
// scalar code; then the windows lie in the lanes. Entry e + 2^t of a window is entry e plus
// 2^(t+1) times its first one.
#pragma once
#include "field.h"
#include "window.h"

#define CHAIN_MAX 264 // doublings, in whole vectors

struct multiples {
    uint8_t x[CHAIN_MAX][32], y[CHAIN_MAX][32]; // words, of 2^i P
};

struct chain {
    uint8_t x[CHAIN_MAX][32], y[CHAIN_MAX][32], z[CHAIN_MAX][32];
};

static void fp_words(uint8_t out[32], const struct fp *a) {
    struct fp value = fp_reduce(a);
    for (int i = 0; i < 4; i++) store64(out + 8 * i, value.v[i]);
}

// X, Y, Z of 2^i P.
static void chain_make(struct chain *chain, const uint8_t point[64]) {
    struct fp x, y, z = {{1, 0, 0, 0}};
    for (int i = 0; i < 4; i++) {
        x.v[i] = load64_big(point + 24 - 8 * i);
        y.v[i] = load64_big(point + 56 - 8 * i);
    }
    for (int i = 0; i < CHAIN_MAX; i++) {
        fp_words(chain->x[i], &x);
        fp_words(chain->y[i], &y);
        fp_words(chain->z[i], &z);
        // The doubling of lane_point.h.
        struct fp xx = fp_square(&x), yy = fp_square(&y), c = fp_square(&yy);
        struct fp e = fp_add(&xx, &xx), d = fp_mul(&x, &yy), t;
        e = fp_add(&e, &xx);
        d = fp_add(&d, &d);
        d = fp_add(&d, &d);
        z = fp_mul(&y, &z);
        z = fp_add(&z, &z);
        x = fp_square(&e);
        x = fp_sub(&x, &d);
        x = fp_sub(&x, &d);
        for (int k = 0; k < 3; k++) c = fp_add(&c, &c);
        t = fp_sub(&d, &x);
        y = fp_mul(&e, &t);
        y = fp_sub(&y, &c);
    }
}

INLINE void rows_read(vec word[4], uint8_t (*row)[32], const int at[LANES]) {
    const uint8_t *from[LANES];
    for (int i = 0; i < LANES; i++) from[i] = row[at[i]];
    for (int i = 0; i < 4; i++) word[i] = vec_load(from, 8 * (size_t)i);
}

INLINE struct factor row_factor(uint8_t (*row)[32], const int at[LANES]) {
    vec word[4];
    rows_read(word, row, at);
    return factor_load(word);
}

INLINE void row_write(uint8_t (*row)[32], int first, const struct factor *a) {
    uint8_t *to[LANES];
    vec word[4];
    struct sum value = reduced(a);
    reduced_words(&value, word);
    for (int i = 0; i < LANES; i++) to[i] = row[first + i];
    for (int i = 0; i < 4; i++) vec_store(to, 8 * (size_t)i, word[i]);
}

ROUTINE void multiples_make(struct multiples *out, const uint8_t point[64]) {
    struct chain chain;
    struct jacobian in[CHAIN_MAX / LANES];
    struct affine a[CHAIN_MAX / LANES];
    struct factor prefix[CHAIN_MAX / LANES];
    chain_make(&chain, point);
    for (int v = 0; v < CHAIN_MAX / LANES; v++) {
        int at[LANES];
        for (int i = 0; i < LANES; i++) at[i] = LANES * v + i;
        in[v] = (struct jacobian){
            row_factor(chain.x, at), row_factor(chain.y, at), row_factor(chain.z, at)};
    }
    (void)points_divide(a, in, prefix, CHAIN_MAX / LANES);
    for (int v = 0; v < CHAIN_MAX / LANES; v++) {
        row_write(out->x, LANES * v, &a[v].x);
        row_write(out->y, LANES * v, &a[v].y);
    }
}

// Of lanes' windows: the multiple 2^(bits * window + up) P.
INLINE struct affine multiple_of(struct multiples *multiples, int bits, int windows, int first,
                                 int up) {
    int at[LANES];
    for (int i = 0; i < LANES; i++) {
        int window = first + i < windows ? first + i : first;
        at[i] = bits * window + up;
    }
    return (struct affine){row_factor(multiples->x, at), row_factor(multiples->y, at)};
}

#define ENTRIES_MAX SIGNER_ENTRIES

// entry e of windows first ... first + LANES - 1 := (2 e + 1) 2^(bits * window) P.
ROUTINE void entries_make(struct affine *entry, struct multiples *multiples, int bits, int windows,
                          int first) {
    struct factor prefix[ENTRIES_MAX / 2];
    entry[0] = multiple_of(multiples, bits, windows, first, 0);
    for (int t = 0; t < bits - 1; t++) {
        const struct affine step = multiple_of(multiples, bits, windows, first, t + 1);
        tables_grow(entry, 0, &step, 0, prefix, 1, t);
    }
}

// point: x || y, on the curve.
ROUTINE void signer_make(struct secp_signer *signer, const uint8_t point[64]) {
    struct multiples multiples;
    struct affine entry[SIGNER_ENTRIES];
    memcpy(signer->point, point, 64);
    multiples_make(&multiples, point);
    for (int first = 0; first < SIGNER_WINDOWS; first += LANES) {
        entries_make(entry, &multiples, SIGNER_BITS, SIGNER_WINDOWS, first);
        for (int e = 0; e < SIGNER_ENTRIES; e++) {
            uint8_t *at[LANES];
            vec word[8];
            struct sum x = reduced(&entry[e].x), y = reduced(&entry[e].y);
            reduced_words(&x, word);
            reduced_words(&y, word + 4);
            for (int i = 0; i < LANES; i++) at[i] = signer->entry[first + i][e];
            vec_store_block(at, 0, 64, word);
        }
    }
}

ROUTINE void base_make(struct secp_base *base, const uint8_t point[64]) {
    struct multiples multiples;
    struct affine entry[BASE_ENTRIES];
    multiples_make(&multiples, point);
    for (int first = 0; first < BASE_WINDOWS; first += LANES) {
        entries_make(entry, &multiples, BASE_BITS, BASE_WINDOWS, first);
        for (int e = 0; e < BASE_ENTRIES; e++) {
            struct sum x = reduced(&entry[e].x), y = reduced(&entry[e].y);
            for (int i = 0; i < 5; i++) {
                uint8_t word[2][LANES][8], *at[2][LANES];
                for (int k = 0; k < LANES; k++) at[0][k] = word[0][k], at[1][k] = word[1][k];
                vec_store(at[0], 0, x.v[i]);
                vec_store(at[1], 0, y.v[i]);
                for (int k = 0; k < LANES && first + k < BASE_WINDOWS; k++) {
                    base->limb[first + k][i][e] = load64(word[0][k]);
                    base->limb[first + k][5 + i][e] = load64(word[1][k]);
                }
            }
        }
    }
}
