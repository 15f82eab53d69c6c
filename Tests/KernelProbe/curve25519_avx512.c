#if defined(__x86_64__)
#include "../../CShims/Kernels/lanes/avx512.h"
#define NAME(check) avx512_##check
#include "curve25519_checks.h"
#endif
