// Points, numbers modulo n and the map to the curve over intervals.
#include "../lanes/interval.h"
#define NAME(kernel) interval_##kernel
#define PAIRS_LEAST  1
#define NONCE        scalar_ecdsa_nonce
#define KECCAK       scalar_keccak256
#define HASH_LEAST   1
#include "kernel.h"

// A factor as wide as factor_of() lets it become, and a weak number.
static struct factor factor_any(void) {
    struct factor out;
    for (int i = 0; i < 4; i++) out.v[i] = vec_bounds(0, UINT64_MAX);
    out.v[4] = vec_bounds(0, LOW(LIMB_TOP) + ((uint64_t)1 << 13));
    return out;
}

static struct order order_any(void) {
    struct order out;
    for (int i = 0; i < 4; i++) out.v[i] = vec_bounds(0, LOW(52));
    out.v[4] = vec_bounds(0, LOW(49));
    return out;
}

static void within(const vec *a, const vec *bound, int limbs, const char *what) {
    for (int i = 0; i < limbs; i++)
        if (a[i].most > bound[i].most) interval_fault(what);
}

static void factors_within(const struct factor *a, int count, const char *what) {
    const struct factor any = factor_any();
    for (int i = 0; i < count; i++) within(a[i].v, any.v, 5, what);
}

// Each formula is run on the widest factors; if what comes out is no wider, it may go in again, for
// ever: so every chain is covered, whatever its length.
static void run_points(void) {
    const struct factor any = factor_any();
    const struct affine affine = {any, any};
    const struct jacobian jacobian = {any, any, any};
    const struct affine *term = &affine;
    struct jacobian j = jacobian;
    jacobians_add(&j, &term, 1);
    factors_within(&j.x, 3, "addition");
    j = jacobian;
    jacobians_double(&j, 1, 1);
    factors_within(&j.x, 3, "doubling");
    struct affine a = affine;
    affine_add(&a, &affine, &any);
    factors_within(&a.x, 2, "affine addition");
    a = affine;
    negate_in(&a, 0);
    factors_within(&a.x, 2, "negative");
    struct factor d = x_difference(&affine, &affine), inverse;
    factors_within(&d, 1, "difference");
    factor_inverse(&inverse, &any);
    factors_within(&inverse, 1, "inverse");

    struct lifting lifting;
    struct factor power;
    lifting_begin(&lifting, &any);
    root_power(&power, &lifting.cube, 1);
    (void)lifting_finish(&a, &lifting, &power, 0);
    factors_within(&a.x, 2, "lifting");
    (void)on_curve(&affine);
}

static void run_order(void) {
    const struct order any = order_any();
    struct order o[6] = {order_mul(&any, &any),
                         order_add(&any, &any),
                         order_negative(&any),
                         order_mul_shift(&any, half_g1),
                         order_reduced(&any),
                         order_add_in(0, &any, half_a2)};
    for (int i = 0; i < 6; i++) within(o[i].v, any.v, 5, "number modulo n");
    (void)order_is_high(&any);

    struct digits digits, half[2];
    mask negative;
    digits_of(&digits, &any, BASE_BITS * BASE_WINDOWS);
    for (int j = 0; j < BASE_WINDOWS; j++) {
        struct affine node;
        vec entry = digit(&digits, BASE_BITS, j, &negative);
        base_read(&node, &secp_base, j, entry, negative);
        factors_within(&node.x, 2, "table");
    }
    halves_of(half, &any);
    for (int j = 0; j < HALF_WINDOWS; j++) (void)digit(&half[1], HALF_BITS, j, &negative);

    const struct factor factor = factor_any();
    const struct affine point = {factor, factor};
    vec word[8];
    (void)sign_finish(word, &point, &any, &any, &any);
}

static void run_map(void) {
    const struct factor any = factor_any();
    vec word[8];
    for (int i = 0; i < 8; i++) word[i] = vec_bounds(0, UINT64_MAX);
    struct factor u = load48(word), base;
    factors_within(&u, 1, "48 bytes");
    struct mapping mapping;
    mapping_begin(&mapping, &base, &any);
    factors_within(&base, 1, "map");
    struct factor y = mapping_finish(&mapping, &any);
    factors_within(&y, 1, "map");
    mapping.numerator = mapping.denominator = any;
    struct projective point, all = {any, any, any};
    isogeny_apply(&point, &mapping, &any);
    factors_within(&point.x, 3, "isogeny");
    projective_add(&point, &all, &all);
    factors_within(&point.x, 3, "complete addition");
}

void interval_secp256k1(void);
void interval_secp256k1(void) {
    run_points();
    run_order();
    run_map();
}
