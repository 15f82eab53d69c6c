// What the tests run in the lanes over curve25519's field; included after a vocabulary.
#pragma once
#include "../../CShims/Kernels/curve25519/lane_point.h"
//
#include "truth_25519.h"
#define FIELD_MODULUS modulus_p25519
