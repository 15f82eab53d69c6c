// hash_to_curve of RFC 9380, suite secp256k1_XMD:..._SSWU_RO_, with Keccak-256
// as its hash.
#include "../keccak/keccak.h"
#include "../rows.h"
#include "field.h"
#include "map.h"

// x = X / Z, y = Y / Z; (0, 1, 0) is the neutral element.
struct point {
    struct fp x, y, z;
};

// A root of u / v if there is one (returns all ones), else of Z u / v (returns
// zero). v is not 0.
static uint64_t root_of_ratio(struct fp *out, const struct fp *u, const struct fp *v) {
    struct fp vv = fp_square(v), uv = fp_mul(u, v);
    struct fp base = fp_mul(&vv, &uv);
    struct fp power = fp_root_power(&base);
    struct fp root = fp_mul(&power, &uv);
    *out = fp_mul(&root, &root_minus_z);

    struct fp square = fp_square(&root);
    struct fp check = fp_mul(&square, v);
    uint64_t is_square = fp_equal(&check, u);
    fp_move(out, &root, is_square);
    return is_square;
}

// The simplified SWU map without an inversion (RFC 9380, F.2): x = numerator /
// denominator.
static void map_to_curve(struct fp *numerator, struct fp *denominator, struct fp *y,
                         const struct fp *u) {
    const struct fp zero = {{0}}, one = {{1}};
    struct fp uu = fp_square(u);
    struct fp t = fp_mul(&minus_z, &uu);
    struct fp zuu = fp_sub(&zero, &t);
    struct fp zuu2 = fp_square(&zuu);
    struct fp sum = fp_add(&zuu2, &zuu);

    t = fp_add(&sum, &one);
    *numerator = fp_mul(&curve_b, &t);
    // The exceptional case, sum = 0, takes Z for -sum.
    struct fp divisor = fp_sub(&zero, &sum), z = fp_sub(&zero, &minus_z);
    fp_move(&divisor, &z, fp_equal(&sum, &zero));
    *denominator = fp_mul(&curve_a, &divisor);

    // g(x) = (n^3 + A n d^2 + B d^3) / d^3
    struct fp nn = fp_square(numerator), dd = fp_square(denominator);
    struct fp add = fp_mul(&curve_a, &dd);
    struct fp g = fp_add(&nn, &add);
    g = fp_mul(&g, numerator);
    struct fp ddd = fp_mul(&dd, denominator);
    add = fp_mul(&curve_b, &ddd);
    g = fp_add(&g, &add);

    // If g(x) is no square, g(Z u^2 x) = Z^3 u^6 g(x) is, and root is that of Z
    // g(x).
    struct fp root, other = fp_mul(&zuu, numerator);
    uint64_t is_square = root_of_ratio(&root, &g, &ddd);
    *y = fp_mul(&zuu, u);
    *y = fp_mul(y, &root);
    fp_move(y, &root, is_square);
    fp_move(&other, numerator, is_square);
    *numerator = other;

    struct fp negative = fp_sub(&zero, y);
    uint64_t odd = (fp_reduce(u).v[0] ^ fp_reduce(y).v[0]) & 1;
    fp_move(y, &negative, mask_of(odd));
}

// d^degree * polynomial(n / d)
static struct fp evaluate(const struct fp *coefficient, int degree, const struct fp *n,
                          const struct fp *d) {
    struct fp sum = coefficient[degree], power = *d;
    for (int i = degree - 1; i >= 0; i--) {
        struct fp term = fp_mul(&coefficient[i], &power);
        sum = fp_mul(&sum, n);
        sum = fp_add(&sum, &term);
        power = fp_mul(&power, d);
    }
    return sum;
}

static void isogeny(struct point *out, const struct fp *n, const struct fp *d, const struct fp *y) {
    const struct fp zero = {{0}}, one = {{1}};
    struct fp xn = evaluate(x_numerator, 3, n, d), xd = evaluate(x_denominator, 2, n, d);
    struct fp yn = evaluate(y_numerator, 3, n, d), yd = evaluate(y_denominator, 3, n, d);
    xd = fp_mul(&xd, d);
    yn = fp_mul(&yn, y);

    out->x = fp_mul(&xn, &yd);
    out->y = fp_mul(&yn, &xd);
    out->z = fp_mul(&xd, &yd);
    // The kernel goes to the neutral element.
    uint64_t kernel = fp_equal(&out->z, &zero);
    fp_move(&out->x, &zero, kernel);
    fp_move(&out->y, &one, kernel);
}

// Complete addition for a = 0, b = 7 (Renes, Costello, Batina, 2016, algorithm
// 7).
static void point_add(struct point *out, const struct point *a, const struct point *b) {
    const struct fp b3 = {{21, 0, 0, 0}};
    struct fp xx = fp_mul(&a->x, &b->x), yy = fp_mul(&a->y, &b->y), zz = fp_mul(&a->z, &b->z);
    struct fp s, t, xy, yz, xz;
    s = fp_add(&a->x, &a->y), t = fp_add(&b->x, &b->y), xy = fp_mul(&s, &t);
    s = fp_add(&xx, &yy), xy = fp_sub(&xy, &s); // x1 y2 + x2 y1
    s = fp_add(&a->y, &a->z), t = fp_add(&b->y, &b->z), yz = fp_mul(&s, &t);
    s = fp_add(&yy, &zz), yz = fp_sub(&yz, &s); // y1 z2 + y2 z1
    s = fp_add(&a->x, &a->z), t = fp_add(&b->x, &b->z), xz = fp_mul(&s, &t);
    s = fp_add(&xx, &zz), xz = fp_sub(&xz, &s); // x1 z2 + x2 z1

    struct fp xx2 = fp_add(&xx, &xx), xx3 = fp_add(&xx2, &xx), zz_b3 = fp_mul(&b3, &zz);
    struct fp plus = fp_add(&yy, &zz_b3), minus = fp_sub(&yy, &zz_b3), xz_b3 = fp_mul(&b3, &xz);
    s = fp_mul(&xy, &minus), t = fp_mul(&yz, &xz_b3), out->x = fp_sub(&s, &t);
    s = fp_mul(&minus, &plus), t = fp_mul(&xz_b3, &xx3), out->y = fp_add(&s, &t);
    s = fp_mul(&plus, &yz), t = fp_mul(&xx3, &xy), out->z = fp_add(&s, &t);
}

static void hash_to_curve(const uint8_t *msg, size_t msg_bytes, const uint8_t *dst,
                          size_t dst_bytes, uint8_t *out) {
    uint8_t uniform[96];
    struct point half[2], sum;
    keccak_expand(KECCAK_ETHEREUM, msg, msg_bytes, dst, dst_bytes, uniform, sizeof uniform);
    for (int i = 0; i < 2; i++) {
        struct fp u = fp_load48(uniform + 48 * i), numerator, denominator, y;
        map_to_curve(&numerator, &denominator, &y, &u);
        isogeny(&half[i], &numerator, &denominator, &y);
    }
    point_add(&sum, &half[0], &half[1]);

    struct fp inverse = fp_invert(&sum.z);
    struct fp x = fp_mul(&sum.x, &inverse), y = fp_mul(&sum.y, &inverse);
    fp_store(out, &x);
    fp_store(out + 32, &y);
}

void scalar_hash_to_curve(struct kernels_lanes msg, size_t msg_bytes, const uint8_t *dst,
                          size_t dst_bytes, struct kernels_lanes out, uint64_t live) {
    FOR_LANES(lane, live) {
        hash_to_curve(lane_at(msg, lane), msg_bytes, dst, dst_bytes, lane_at(out, lane));
    }
    wipe_stack();
}
