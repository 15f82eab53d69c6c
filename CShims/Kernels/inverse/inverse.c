// Division steps (Bernstein and Yang, 2019), 590 of them, in ten rounds of 59.
//
// A round's steps depend on the lowest 59 bits of f and g alone; they make a matrix, which then
// goes over the whole numbers. notes.md has the bounds.
#include "inverse.h"

#define INLINE static inline __attribute__((always_inline))

// Limbs of 59 bits, the last one signed: 295 bits, so that sums need no care.
#define LIMB   59
#define LOW    (((uint64_t)1 << LIMB) - 1)
#define ROUNDS 10

typedef __int128 wide;

struct number {
    int64_t v[5];
};

// (f, g) becomes (u f + v g, q f + r g) / 2^steps. |u| + |v| and |q| + |r| are at most 2^steps.
struct matrix {
    int64_t u, v, q, r;
};

const struct modulus modulus_p25519 = {
    {0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff},
    0x86bca1af286bca1b,
    255};
const struct modulus modulus_secp256k1 = {
    {0xfffffffefffffc2f, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff},
    0xd838091dd2253531,
    256};
const struct modulus modulus_secp256k1_order = {
    {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff},
    0x4b0dff665588b13f,
    256};

INLINE uint64_t shift_signed(uint64_t a, int count) { return (uint64_t)((int64_t)a >> count); }

// All ones if a is negative, else zero.
INLINE uint64_t sign_mask(uint64_t a) { return mask_of(barrier(a) >> 63); }

// -- Steps
//
// A word holds f, of which the low 20 bits are known, less 2^41 u, less 2^62 v, and the other word
// g with q and r: a step does the same to all three. Its halving shifts the fields down together,
// to 2^(41 - k) and 2^(62 - k) after k <= 20 steps, where they still do not touch.
#define STEPS_MAX 20
#define FIRST     41
#define SECOND    62

// The two fields of a word, negated.
INLINE int64_t first_field(uint64_t word, int steps) {
    uint64_t rounded = word + ((uint64_t)1 << STEPS_MAX);
    return (int64_t)shift_signed(rounded << (64 - SECOND + steps), 64 - SECOND + FIRST);
}

INLINE int64_t second_field(uint64_t word, int steps) {
    uint64_t half = (uint64_t)1 << (SECOND - steps - 1);
    return (int64_t)shift_signed(word + half, SECOND - steps);
}

// The negated matrix of so many steps. `turn` is -(delta + 1/2), negative where a step with odd g
// exchanges f and g.
INLINE struct matrix steps_matrix(uint64_t *turn, uint64_t f, uint64_t g, int steps) {
    const uint64_t low = ((uint64_t)1 << STEPS_MAX) - 1;
    f = (f & low) - ((uint64_t)1 << FIRST);
    g = (g & low) - ((uint64_t)1 << SECOND);
#pragma clang loop unroll(full)
    for (int i = 0; i < steps; i++) {
        uint64_t odd = mask_of(g & 1), may = sign_mask(*turn), exchange = odd & may;
        uint64_t added = ((f ^ may) - may) & odd;
        f ^= (f ^ g) & exchange;
        g = shift_signed(g + added, 1);
        *turn = (*turn ^ exchange) - 1;
    }
    return (struct matrix){first_field(f, steps),
                           second_field(f, steps),
                           first_field(g, steps),
                           second_field(g, steps)};
}

// What the steps do to the low words.
INLINE void matrix_apply_low(const struct matrix *t, uint64_t *f, uint64_t *g, int steps) {
    uint64_t a = *f, b = *g;
    *f = ((uint64_t)t->u * a + (uint64_t)t->v * b) >> steps;
    *g = ((uint64_t)t->q * a + (uint64_t)t->r * b) >> steps;
}

// First a, then b.
INLINE struct matrix matrix_product(const struct matrix *b, const struct matrix *a) {
    return (struct matrix){b->u * a->u + b->v * a->q,
                           b->u * a->v + b->v * a->r,
                           b->q * a->u + b->r * a->q,
                           b->q * a->v + b->r * a->r};
}

// The matrix of a round, or its negative: then all four numbers change sign, and the next steps
// are the same.
INLINE struct matrix round_matrix(uint64_t *turn, uint64_t f, uint64_t g) {
    struct matrix a = steps_matrix(turn, f, g, 20);
    matrix_apply_low(&a, &f, &g, 20);
    struct matrix b = steps_matrix(turn, f, g, 20);
    matrix_apply_low(&b, &f, &g, 20);
    struct matrix c = steps_matrix(turn, f, g, 19), ba = matrix_product(&b, &a);
    return matrix_product(&c, &ba);
}

// -- Numbers

INLINE struct number number_of(const uint64_t word[4]) {
    return (struct number){{(int64_t)(word[0] & LOW),
                            (int64_t)((word[0] >> 59 | word[1] << 5) & LOW),
                            (int64_t)((word[1] >> 54 | word[2] << 10) & LOW),
                            (int64_t)((word[2] >> 49 | word[3] << 15) & LOW),
                            (int64_t)(word[3] >> 44)}};
}

INLINE void number_words(uint64_t word[4], const struct number *a) {
    const uint64_t v[5] = {(uint64_t)a->v[0],
                           (uint64_t)a->v[1],
                           (uint64_t)a->v[2],
                           (uint64_t)a->v[3],
                           (uint64_t)a->v[4]};
    word[0] = v[0] | v[1] << 59;
    word[1] = v[1] >> 5 | v[2] << 54;
    word[2] = v[2] >> 10 | v[3] << 49;
    word[3] = v[3] >> 15 | v[4] << 44;
}

// a + times * b, carried. |times| < 2^4.
INLINE struct number number_add_times(const struct number *a, const struct number *b,
                                      int64_t times) {
    struct number out;
    int64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += a->v[i] + times * b->v[i];
        out.v[i] = carry & (int64_t)LOW;
        carry >>= LIMB;
    }
    out.v[4] = a->v[4] + times * b->v[4] + carry;
    return out;
}

// a modulo m, for -12 m < a < 12 m.
INLINE struct number number_reduced(const struct number *a, const struct number *m, int bits) {
    // What is left of a after that many times 2^bits is at most once too small or too large.
    struct number out = number_add_times(a, m, -(a->v[4] >> (bits - 4 * LIMB)));
    out = number_add_times(&out, m, (int64_t)(sign_mask((uint64_t)out.v[4]) & 1));
    struct number less = number_add_times(&out, m, -1);
    int64_t keep = (int64_t)sign_mask((uint64_t)less.v[4]);
    for (int i = 0; i < 5; i++) out.v[i] = less.v[i] ^ (keep & (out.v[i] ^ less.v[i]));
    return out;
}

// (a, b) := t (a, b) / 2^59, where the quotients are exact; or, with a modulus, modulo m.
INLINE void matrix_apply(const struct matrix *t, struct number *a, struct number *b,
                         const struct number *m, uint64_t minus_inverse) {
    wide x = 0, y = 0;
    int64_t i_m = 0, j_m = 0; // how many times m makes the lowest 59 bits zero
    for (int i = 0; i < 5; i++) {
        x += (wide)t->u * a->v[i] + (wide)t->v * b->v[i];
        y += (wide)t->q * a->v[i] + (wide)t->r * b->v[i];
        if (m && i == 0) {
            i_m = (int64_t)((uint64_t)x * minus_inverse & LOW);
            j_m = (int64_t)((uint64_t)y * minus_inverse & LOW);
        }
        if (m) {
            x += (wide)i_m * m->v[i];
            y += (wide)j_m * m->v[i];
        }
        if (i > 0) {
            a->v[i - 1] = (int64_t)((uint64_t)x & LOW);
            b->v[i - 1] = (int64_t)((uint64_t)y & LOW);
        }
        x >>= LIMB;
        y >>= LIMB;
    }
    a->v[4] = (int64_t)x;
    b->v[4] = (int64_t)y;
}

void inverse(uint64_t out[4], const uint64_t in[4], const struct modulus *modulus) {
    // in * d = f and in * e = g, up to a power of 2 that the rounds divide away.
    const struct number m = number_of(modulus->word);
    struct number f = m, g = number_of(in), d = {{0}}, e = {{1}};
    struct matrix t;
    uint64_t turn = 0 - (uint64_t)1;
    g = number_reduced(&g, &m, modulus->bits);
    for (int round = 0; round < ROUNDS; round++) {
        t = round_matrix(&turn, (uint64_t)f.v[0], (uint64_t)g.v[0]);
        matrix_apply(&t, &f, &g, NULL, 0);
        matrix_apply(&t, &d, &e, &m, modulus->minus_inverse);
    }
    // f is 1 or -1, or for 0 the modulus, and then d is 0.
    const struct number zero = {{0}};
    int64_t sign = 1 - 2 * (int64_t)(sign_mask((uint64_t)f.v[4]) & 1);
    d = number_add_times(&zero, &d, sign);
    d = number_reduced(&d, &m, modulus->bits);
    number_words(out, &d);
    wipe(&f, sizeof f);
    wipe(&g, sizeof g);
    wipe(&d, sizeof d);
    wipe(&e, sizeof e);
    wipe(&t, sizeof t);
    wipe(&turn, sizeof turn);
}
