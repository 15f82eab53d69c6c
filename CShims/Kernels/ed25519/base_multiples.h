// The base point's table, in the form of multiples.h; made when the program is loaded.
#pragma once
#include "../common.h"

extern uint8_t ed25519_base_multiples[KERNELS_VERIFIER_BYTES];
