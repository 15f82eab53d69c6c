// The proof by intervals, and computations that it must refuse.
#include "../../CShims/Kernels/lanes/interval.h"
#include "../../CShims/Kernels/lanes/proof.h"
#include "probe.h"

int probe_interval_count(void) { return kernels_interval_count(); }

uint64_t probe_interval_faults(const char **first) {
    (void)kernels_interval_faults(first);
    kernels_interval_run();
    return kernels_interval_faults(first);
}

// Limbs as a multiplication leaves them: below 2^52.
static vec limb(void) { return vec_bounds(0, LOW52); }

// Five columns that each take five products, as a product of two fields does.
static void add_products(column *sums, vec a, vec b) {
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++) column_add_product(&sums[i + k], a, b);
}

static void compute(enum probe_interval how) {
    column sums[10] = {{0, 0}};
    vec settled[10], two_p = vec_set(2 * LOW52);
    switch (how) {
    case PROBE_INTERVAL_SOUND:
        add_products(sums, limb(), limb());
        columns_settle(sums, 10, settled);
        (void)vec_sub(vec_add(two_p, limb()), limb());
        break;
    case PROBE_INTERVAL_UNBIASED:
        (void)vec_sub(limb(), limb());
        break;
    case PROBE_INTERVAL_SHORT_BIAS:
        (void)vec_sub(vec_add(limb(), vec_set(LOW52)), vec_add(limb(), limb()));
        break;
    case PROBE_INTERVAL_SUM:
        (void)vec_add(vec_shl(limb(), 12), vec_shl(limb(), 12));
        break;
    case PROBE_INTERVAL_COLUMN:
        // A column has room for 2^12 halves of products.
        for (int i = 0; i < 4097; i++) column_add_product(sums, limb(), limb());
        break;
    case PROBE_INTERVAL_DOUBLE:
        sums[0] = column_of(vec_bounds(0, (uint64_t)1 << 63));
        columns_double(sums, 0, 1);
        break;
    }
}

uint64_t probe_interval_of(enum probe_interval how, const char **first) {
    (void)kernels_interval_faults(first);
    compute(how);
    return kernels_interval_faults(first);
}
