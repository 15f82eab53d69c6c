#include "../../CShims/Kernels/inverse/inverse.h"
#include "../../CShims/Kernels/curve25519/field.h"
#include "../../CShims/Kernels/secp256k1/field.h"
#include "inverse_lanes.h"
#include "probe.h"
#include <secp256k1.h>

static const struct modulus *modulus_of(enum probe_modulus modulus) {
    if (modulus == PROBE_P25519) return &modulus_p25519;
    return modulus == PROBE_SECP256K1 ? &modulus_secp256k1 : &modulus_secp256k1_order;
}

void probe_inverse(enum probe_modulus modulus, const uint64_t *in, uint64_t *out) {
    inverse(out, in, modulus_of(modulus));
}

int probe_inverse_lanes(const char *row, uint64_t *values) {
    uint64_t(*value)[4] = (uint64_t(*)[4])values;
    if (strcmp(row, "portable") == 0) return portable_inverse_lanes(value);
#if defined(__x86_64__)
    if (strcmp(row, "avx512") == 0 && kernels_row(row)) return avx512_inverse_lanes(value);
#endif
    return 0;
}

// -- Products by other code than the inversion's

static void bytes_big(uint8_t out[32], const uint64_t word[4]) {
    for (int i = 0; i < 4; i++) store64_big(out + 24 - 8 * i, word[i]);
}

static int product_p25519(uint8_t product[32], const uint64_t a[4], const uint64_t b[4]) {
    uint8_t bytes[32];
    struct fe x[2];
    const uint64_t *word[2] = {a, b};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 4; i++) store64(bytes + 8 * i, word[k][i]);
        struct fe low = fe_load(bytes), high = fe_small(19 * (word[k][3] >> 63));
        x[k] = fe_add(&low, &high);
    }
    x[0] = fe_mul(&x[0], &x[1]);
    fe_store(bytes, &x[0]);
    for (int i = 0; i < 32; i++) product[i] = bytes[31 - i];
    return 1;
}

static int product_secp256k1(uint8_t product[32], const uint64_t a[4], const uint64_t b[4]) {
    struct fp x, y;
    memcpy(x.v, a, sizeof x.v);
    memcpy(y.v, b, sizeof y.v);
    x = fp_mul(&x, &y);
    fp_store(product, &x);
    return 1;
}

// 0 modulo n is no scalar for the library.
static int product_order(uint8_t product[32], const uint64_t a[4], const uint64_t b[4]) {
    uint8_t wide_bytes[48] = {0}, factor[32];
    bytes_big(wide_bytes + 16, a);
    kernels_secp256k1_reduce48(wide_bytes, factor);
    bytes_big(product, b);
    if (secp256k1_ec_seckey_tweak_mul(secp256k1_context_static, product, factor)) return 1;
    uint8_t any = 0;
    for (int i = 0; i < 32; i++) any |= factor[i];
    memset(product, any, 32);
    return any == 0;
}

static int is_below(const uint64_t a[4], const uint64_t b[4]) {
    for (int i = 3; i >= 0; i--)
        if (a[i] != b[i]) return a[i] < b[i];
    return 0;
}

int probe_inverse_holds(enum probe_modulus modulus, const uint64_t *in, const uint64_t *out) {
    static int (*const multiply[])(uint8_t *, const uint64_t *, const uint64_t *) = {
        product_p25519, product_secp256k1, product_order};
    uint8_t product[32], others = 0;
    if (!is_below(out, modulus_of(modulus)->word)) return 0;
    if (!multiply[modulus](product, in, out)) return 0;
    for (int i = 0; i < 31; i++) others |= product[i];
    if (others != 0 || product[31] > 1) return 0;
    return product[31] == 1 || (out[0] | out[1] | out[2] | out[3]) == 0;
}
