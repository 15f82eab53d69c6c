#if defined(__x86_64__)
#include "../lanes/avx512.h"

#define ROW(kernel)  avx512_##kernel
#define SHA512_LEAST 2 // a group of eight lanes costs less than two scalar ones
#define SHA256_FEW   1 // up to so many packets the scalar row is faster
#include "kernel.h"
#endif
