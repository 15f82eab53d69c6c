// Inverses in the lanes of a row, modulo 2^255 - 19, of values below 2^255; the number of values.
#pragma once
#include <stdint.h>

int portable_inverse_lanes(uint64_t (*value)[4]);
int avx512_inverse_lanes(uint64_t (*value)[4]);
