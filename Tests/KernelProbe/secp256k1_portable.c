#include "../../CShims/Kernels/lanes/portable.h"
#define NAME(check) portable_##check
#include "secp256k1_checks.h"
