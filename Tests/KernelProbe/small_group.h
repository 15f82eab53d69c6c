// Small groups over secp256k1's field: of curves y^2 = x^3 + b whose order has a small prime
// factor.
//
// The formulas that the tests run over them do not read b. The six curves' orders are p + 1 - t for
// t in +-t1, +-(t1 + 3 v) / 2, +-(t1 - 3 v) / 2 with t1 = p + 1 - n and 4 p = t1^2 + 3 v^2.
#pragma once
#include "../../CShims/Kernels/secp256k1/field.h"

#define GROUP_ORDER_MAX 199
#define GROUPS          3

struct small_group {
    int order; // 7, 13, 199
    uint64_t b;
    struct fp x[GROUP_ORDER_MAX], y[GROUP_ORDER_MAX]; // i G at i; nothing at 0
};

void small_group_make(struct small_group *group, int which);
