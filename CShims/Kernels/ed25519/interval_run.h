// Tables and sums of terms over intervals. What one addition and one doubling let in and out is
// proven in curve25519/interval_run.h; here is what leads to them.
#include "../curve25519/order.h"
#include "../lanes/interval.h"
#include "sum.h"

static void run_over_intervals(void) {
    struct factor any;
    for (int i = 0; i < 4; i++) any.v[i] = vec_bounds(0, UINT64_MAX);
    any.v[4] = vec_bounds(0, LOW(LIMB_TOP) + ((uint64_t)1 << 13));
    const struct doubler doubler = {any, any, any};
    struct doubler out;
    uint8_t *const at[LANES] = {NULL};
    multiples_store(at, &doubler);

    const vec word = vec_bounds(0, UINT64_MAX);
    const struct scalars k = {{word, word, word, word}};
    const uint8_t *const table[LANES] = {ed25519_base_multiples};
    sum_make(&out, &k, &k, table);

    struct affine entry;
    entry_load(&entry, table);
    const struct factor *field[3] = {&entry.sum, &entry.difference, &entry.t2d};
    for (int f = 0; f < 3; f++)
        if (field[f]->v[4].most > any.v[4].most) interval_fault("entry");
}
