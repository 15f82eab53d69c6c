#include "edwards.h"

static const struct fe edwards_2d = {
    {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}};
static const struct fe edwards_d = {
    {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff}};
static const struct fe root_minus_one = {
    {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};

uint64_t point_load(struct point *out, const uint8_t in[32]) {
    // x^2 = u / v with u = y^2 - 1, v = d y^2 + 1; v is never 0 as -1/d is no
    // square.
    struct fe one = fe_small(1);
    struct fe y = fe_load(in);
    struct fe yy = fe_square(&y);
    struct fe u = fe_sub(&yy, &one);
    struct fe dyy = fe_mul(&yy, &edwards_d);
    struct fe v = fe_add(&dyy, &one);

    // r = u v^3 (u v^7)^((p-5)/8): a root of u/v or of -u/v times a root of -1,
    // if there is any.
    struct fe v2 = fe_square(&v);
    struct fe v3 = fe_mul(&v2, &v);
    struct fe v6 = fe_square(&v3);
    struct fe v7 = fe_mul(&v6, &v);
    struct fe uv3 = fe_mul(&u, &v3);
    struct fe uv7 = fe_mul(&u, &v7);
    struct fe power = fe_root_power(&uv7);
    struct fe r = fe_mul(&uv3, &power);

    struct fe rr = fe_square(&r);
    struct fe check = fe_mul(&rr, &v);
    struct fe zero = fe_small(0);
    struct fe minus_u = fe_sub_loose(&zero, &u);
    uint64_t is_root = fe_equal(&check, &u);
    uint64_t is_other = fe_equal(&check, &minus_u);
    struct fe other = fe_mul(&r, &root_minus_one);
    fe_move(&r, &other, is_other);

    // The even root, then the sign that the encoding asks for; 0 stays 0 whatever
    // it asks.
    uint64_t sign = in[31] >> 7;
    struct fe opposite = fe_negate(&r);
    fe_move(&r, &opposite, mask_of(fe_odd(&r) ^ sign));

    out->x = fe_mul(&r, &one);
    out->y = y;
    out->z = one;
    out->t = fe_mul(&out->x, &y);
    return (is_root | is_other) & 1;
}

// The last step of every formula: (X : Z), (Y : T) to X T, Y Z, Z T. All loose.
struct quotients {
    struct fe x, y, z, t;
};

static inline void finish_without_t(struct point *out, const struct quotients *q) {
    out->x = fe_mul(&q->x, &q->t);
    out->y = fe_mul(&q->y, &q->z);
    out->z = fe_mul(&q->z, &q->t);
}

static inline void finish(struct point *out, const struct quotients *q) {
    finish_without_t(out, q);
    out->t = fe_mul(&q->x, &q->y);
}

// Does not read a->t.
static inline struct quotients point_double(const struct point *a) {
    struct quotients q;
    struct fe xx = fe_square(&a->x), yy = fe_square(&a->y), zz = fe_square(&a->z);
    struct fe zz2 = fe_add(&zz, &zz);
    struct fe sum = fe_add(&a->x, &a->y);
    struct fe square = fe_square(&sum);
    q.y = fe_add(&yy, &xx);
    q.z = fe_sub(&yy, &xx);
    q.x = fe_sub_loose(&square, &q.y);
    q.t = fe_sub_loose(&zz2, &q.z);
    return q;
}

static inline struct quotients point_add(const struct point *a, const struct cached *b) {
    struct quotients q;
    struct fe sum = fe_add(&a->y, &a->x), difference = fe_sub(&a->y, &a->x);
    struct fe pp = fe_mul(&sum, &b->sum), mm = fe_mul(&difference, &b->difference);
    struct fe tt = fe_mul(&a->t, &b->t2d), zz = fe_mul(&a->z, &b->z);
    struct fe zz2 = fe_add(&zz, &zz);
    q.x = fe_sub(&pp, &mm);
    q.y = fe_add(&pp, &mm);
    q.z = fe_add(&zz2, &tt);
    q.t = fe_sub(&zz2, &tt);
    return q;
}

static inline void point_cache(struct cached *out, const struct point *a) {
    out->sum = fe_add(&a->y, &a->x);
    out->difference = fe_sub(&a->y, &a->x);
    out->z = a->z;
    out->t2d = fe_mul(&a->t, &edwards_2d);
}

void table_fill(struct table *table, const struct point *a) {
    struct point multiple = *a;
    point_cache(&table->multiple[0], a);
    for (int i = 1; i < 8; i++) {
        struct quotients q = point_add(&multiple, &table->multiple[0]);
        finish(&multiple, &q);
        point_cache(&table->multiple[i], &multiple);
    }
}

// digit * A, for -8 <= digit <= 8: reads the whole table whatever the digit is.
static inline void table_select(struct cached *out, const struct table *table, int digit) {
    uint64_t negative = (uint64_t)(int64_t)digit >> 63;
    uint64_t mask = mask_of(negative);
    uint64_t size = ((uint64_t)(int64_t)digit ^ mask) + negative;

    *out = (struct cached){fe_small(1), fe_small(1), fe_small(1), fe_small(0)};
    for (uint64_t i = 0; i < 8; i++) {
        uint64_t here = mask_of(barrier((size ^ (i + 1)) - 1) >> 63);
        const struct cached *entry = &table->multiple[i];
        fe_move(&out->sum, &entry->sum, here);
        fe_move(&out->difference, &entry->difference, here);
        fe_move(&out->z, &entry->z, here);
        fe_move(&out->t2d, &entry->t2d, here);
    }

    struct fe sum = out->sum, minus = fe_negate(&out->t2d);
    fe_move(&out->sum, &out->difference, mask);
    fe_move(&out->difference, &sum, mask);
    fe_move(&out->t2d, &minus, mask);
}

// k = sum of 16^i * digit[i] with -8 <= digit[i] < 8; the last one may be 8.
static void digits_of(int8_t digit[64], const struct scalar *k) {
    int carry = 0;
    for (int i = 0; i < 64; i++) {
        int value = (int)(k->v[i / 16] >> (4 * (i % 16)) & 15) + carry;
        carry = i < 63 ? (value + 8) >> 4 : 0;
        digit[i] = (int8_t)(value - 16 * carry);
    }
}

void table_multiply(struct point *out, const struct table *table, const struct scalar *k) {
    int8_t digit[64];
    struct cached entry;
    struct quotients q;
    digits_of(digit, k);

    *out = (struct point){fe_small(0), fe_small(1), fe_small(1), fe_small(0)};
    for (int i = 63; i >= 0; i--) {
        for (int doubling = 4; doubling > 0 && i < 63; doubling--) {
            q = point_double(out);
            if (doubling > 1)
                finish_without_t(out, &q);
            else
                finish(out, &q);
        }
        table_select(&entry, table, digit[i]);
        q = point_add(out, &entry);
        finish(out, &q);
    }
    wipe(digit, sizeof digit);
    wipe(&entry, sizeof entry);
    wipe(&q, sizeof q);
}

void points_store(uint8_t (*out)[32], const struct point *points, int count) {
    // prefix[i] = z_0 ... z_i; going back, the inverse of each prefix gives the
    // inverse of each z.
    struct fe prefix[KERNELS_LANES_MAX];
    if (count == 0) return;
    prefix[0] = points[0].z;
    for (int i = 1; i < count; i++) prefix[i] = fe_mul(&prefix[i - 1], &points[i].z);
    struct fe inverse = fe_invert(&prefix[count - 1]);

    for (int i = count - 1; i >= 0; i--) {
        struct fe z = i > 0 ? fe_mul(&inverse, &prefix[i - 1]) : inverse;
        inverse = fe_mul(&inverse, &points[i].z);
        struct fe x = fe_mul(&points[i].x, &z), y = fe_mul(&points[i].y, &z);
        fe_store(out[i], &y);
        out[i][31] |= (uint8_t)(fe_odd(&x) << 7);
        wipe(&z, sizeof z);
        wipe(&x, sizeof x);
    }
    wipe(prefix, sizeof prefix);
    wipe(&inverse, sizeof inverse);
}
