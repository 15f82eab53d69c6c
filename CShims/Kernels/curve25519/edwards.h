// Points of -x^2 + y^2 = 1 + d x^2 y^2 over 2^255 - 19 (Hisil, Wong, Carter,
// Dawson, 2008).
//
// -1 is a square and d is none, so the addition law below is complete: right
// for every two points of the curve, equal, opposite, neutral or of small
// order. No case is treated apart.
#pragma once
#include "field.h"
#include "order.h"

// x = X / Z, y = Y / Z, T = X Y / Z. Coordinates tight.
struct point {
    struct fe x, y, z, t;
};

// What an addition wants to know of its second point.
struct cached {
    struct fe sum;        // Y + X
    struct fe difference; // Y - X
    struct fe z;
    struct fe t2d; // 2 d T
};

// 1 A ... 8 A.
struct table {
    struct cached multiple[8];
};

// Decodes as curve25519-dalek does: y modulo p, reduced or not; the sign bit is
// ignored where x is 0. Returns 1 if the bytes are a point, 0 if not (out is
// then meaningless).
uint64_t point_load(struct point *out, const uint8_t in[32]);

void table_fill(struct table *table, const struct point *a);
// out := k * A for any k < 2^255; the order of A does not matter.
void table_multiply(struct point *out, const struct table *table, const struct scalar *k);

// Encodes `count` points (at most KERNELS_LANES_MAX) with one inversion.
void points_store(uint8_t (*out)[32], const struct point *points, int count);
