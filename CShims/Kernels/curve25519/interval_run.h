// The point arithmetic over intervals.
#include "../lanes/interval.h"
#include "order.h"
#include "table.h"

// A factor as wide as factor_of() lets it become.
static struct factor factor_any(void) {
    struct factor out;
    for (int i = 0; i < 4; i++) out.v[i] = vec_bounds(0, UINT64_MAX);
    out.v[4] = vec_bounds(0, LOW(LIMB_TOP) + ((uint64_t)1 << 13));
    return out;
}

static int factor_within(const struct factor *a, const struct factor *bound) {
    for (int i = 0; i < 5; i++)
        if (a->v[i].most > bound->v[i].most) return 0;
    return 1;
}

// Each formula is run on the widest factors; if what comes out is no wider, it may go in again, for
// ever. So every chain of doublings, additions and powers is covered, whatever its length.
static void run_over_intervals(void) {
    const struct factor any = factor_any();
    const struct doubler doubler = {any, any, any};
    const struct adder adder = {any, any, any, any};
    const struct cached cached = {any, any, any, any};
    struct doubler d;
    struct adder a;
    struct cached c;

    twice(&d, &a, &doubler, DOUBLER | ADDER);
    const struct factor first[] = {d.x, d.y, d.z, a.sum, a.difference, a.z, a.t};
    plus(&d, &a, &adder, &cached, 0, DOUBLER | ADDER);
    point_cache(&c, &adder);
    const struct factor second[] = {d.x, d.y, d.z, a.sum, a.difference, a.z, a.t, c.z2, c.t2d};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (!factor_within(&first[i], &any)) interval_fault("doubling");
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++)
        if (!factor_within(&second[i], &any)) interval_fault("addition");

    // The whole way once: decode, comb, multiply, encode.
    const vec word[4] = {vec_bounds(0, UINT64_MAX),
                         vec_bounds(0, UINT64_MAX),
                         vec_bounds(0, UINT64_MAX),
                         vec_bounds(0, UINT64_MAX)};
    struct scalars k = {{word[0], word[1], word[2], word[3]}};
    struct decoding decoding;
    struct factor power;
    struct comb comb, combs[ABREAST];
    const struct doubler pair[ABREAST] = {doubler, doubler};
    vec encoded[1][4];
    decoding_begin(&decoding, word);
    root_power(&power, &decoding.uv7, 1);
    (void)decoding_finish(&d, &decoding, &power);
    combs_make(combs, pair, ABREAST);
    combs_make(&comb, &d, 1);
    comb_multiply(&d, &comb, &k);
    base_multiply(&d, &k);
    struct kept kept;
    kept_make(&kept, &doubler);
    kept_multiply(&d, &kept, &k);
    points_encode(encoded, &d, 1);
}
