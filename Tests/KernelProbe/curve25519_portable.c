#include "../../CShims/Kernels/lanes/portable.h"
#define NAME(check) portable_##check
#include "curve25519_checks.h"
