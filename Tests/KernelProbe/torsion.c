#include "torsion.h"
#include "../../CShims/Kernels/curve25519/edwards.h"
#include <stdlib.h>

// y = 3 is a point of order 8 l.
static const uint8_t generator[32] = {3};

// m + l i, for i < 8 and m small: below 2^255.
static struct scalar scalar_of(int m, int i) {
    static const uint64_t order[4] = {
        0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};
    struct scalar out;
    wide sum = (wide)m;
    for (int k = 0; k < 4; k++) {
        sum += (wide)order[k] * (unsigned)i;
        out.v[k] = (uint64_t)sum;
        sum >>= 64;
    }
    return out;
}

static int is_null(const struct fe *x) {
    const struct fe zero = fe_small(0);
    return fe_equal(x, &zero) != 0;
}

void torsion_make(struct torsion *torsion) {
    const struct fe zero = fe_small(0), one = fe_small(1);
    struct point p;
    struct table table;
    const int middle = TORSION_MULTIPLES - 1;
    if (!point_load(&p, generator)) abort();
    table_fill(&table, &p);
    for (int m = 0; m < TORSION_MULTIPLES; m++)
        for (int i = 0; i < 8; i++) {
            const struct scalar k = scalar_of(m, i);
            struct point multiple;
            table_multiply(&multiple, &table, &k);
            struct fe inverse = fe_invert(&multiple.z), x = fe_mul(&multiple.x, &inverse);
            struct fe y = fe_mul(&multiple.y, &inverse), minus_x = fe_sub(&zero, &x);
            torsion->x[middle + m][i] = x, torsion->y[middle + m][i] = y;
            // The opposite point: table_multiply() takes no negative number.
            torsion->x[middle - m][-i & 7] = fe_mul(&minus_x, &one);
            torsion->y[middle - m][-i & 7] = y;
        }
    // Only the neutral element and 4 T have x = 0.
    for (int i = 0; i < 8; i++)
        if (is_null(&torsion->x[middle][i]) != (i % 4 == 0)) abort();
}
