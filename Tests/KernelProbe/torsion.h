// Points of curve25519 with components of small order, as scalar code has them.
#pragma once
#include "../../CShims/Kernels/curve25519/field.h"

// m P + i T for |m| < TORSION_MULTIPLES: P has order 8 l, and T = l P has order 8.
#define TORSION_MULTIPLES 9

struct torsion {
    struct fe x[2 * TORSION_MULTIPLES - 1][8], y[2 * TORSION_MULTIPLES - 1][8]; // tight
};

void torsion_make(struct torsion *torsion);
// m P + i T, for any i.
static inline const struct fe *torsion_x(const struct torsion *torsion, int m, int i) {
    return &torsion->x[m + TORSION_MULTIPLES - 1][i & 7];
}
static inline const struct fe *torsion_y(const struct torsion *torsion, int m, int i) {
    return &torsion->y[m + TORSION_MULTIPLES - 1][i & 7];
}
