// What the tests run in the lanes over secp256k1's field; included after a vocabulary.
#pragma once
#include "../../CShims/Kernels/secp256k1/complete.h"
#include "../../CShims/Kernels/secp256k1/lane_order.h"
// Levels of a tree as long as there are pairs.
#define PAIRS_LEAST 1
#include "../../CShims/Kernels/secp256k1/sum.h"
//
#include "truth_secp256k1.h"
#define FIELD_MODULUS   modulus_secp256k1
#define FIELD_HAS_MINUS 1
