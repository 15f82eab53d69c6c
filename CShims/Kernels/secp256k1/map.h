// Constants of the map to the curve.
#pragma once
#include "field.h"

// The curve that the simplified SWU map reaches, y^2 = x^3 + A x + B, and its
// parameter Z = -11 (RFC 9380, 8.7); a root of -Z.
static const struct fp curve_a = {
    {0x405447c01a444533, 0xe953d363cb6f0e5d, 0xa08a5558f0f5d272, 0x3f8731abdd661adc}};
static const struct fp curve_b = {{1771, 0, 0, 0}};
static const struct fp minus_z = {{11, 0, 0, 0}};
static const struct fp root_minus_z = {
    {0x286729c8303c4a59, 0xec184f00a74789dd, 0x7ad13fb38f842afe, 0x31fdf302724013e5}};

// The 3-isogeny from there to secp256k1 (RFC 9380, E.1), coefficients from x^0
// upwards.
static const struct fp x_numerator[4] = {
    {{0x8e38e38daaaaa8c7, 0x38e38e38e38e38e3, 0xe38e38e38e38e38e, 0x8e38e38e38e38e38}},
    {{0xdfff1044f17c6581, 0xd595d2fc0bf63b92, 0xb9f315cea7fd44c5, 0x07d3d4c80bc321d5}},
    {{0x4ecbd0b53d9dd262, 0xe4506144037c4031, 0xe2a413deca25caec, 0x534c328d23f234e6}},
    {{0x8e38e38daaaaa88c, 0x38e38e38e38e38e3, 0xe38e38e38e38e38e, 0x8e38e38e38e38e38}},
};
static const struct fp x_denominator[3] = {
    {{0x9fe6b745781eb49b, 0x86cd409542f8487d, 0x9ca34ccbb7b640dd, 0xd35771193d94918a}},
    {{0xc52a56612a8c6d14, 0x06d36b641f5e41bb, 0xf7c4b2d51b542254, 0xedadc6f64383dc1d}},
    {{1, 0, 0, 0}},
};
static const struct fp y_numerator[4] = {
    {{0xa12f684b8e38e23c, 0x2f684bda12f684bd, 0x684bda12f684bda1, 0x4bda12f684bda12f}},
    {{0xdffc90fc201d71a3, 0x647ab046d686da6f, 0xa9d0a54b12a0a6d5, 0xc75e0c32d5cb7c0f}},
    {{0xa765e85a9ecee931, 0x722830a201be2018, 0x715209ef6512e576, 0x29a6194691f91a73}},
    {{0x84bda12f38e38d84, 0xbda12f684bda12f6, 0xa12f684bda12f684, 0x2f684bda12f684bd}},
};
static const struct fp y_denominator[4] = {
    {{0xfffffffefffff93b, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff}},
    {{0xdfb425d2685c2573, 0x9467c1bfc8e8d978, 0xd5e9e6632722c298, 0x7a06534bb8bdb49f}},
    {{0xa7bf8192bfd2a76f, 0x0a3d21162f0d6299, 0xf3a70c3fa8fe337e, 0x6484aa716545ca2c}},
    {{1, 0, 0, 0}},
};
