#if defined(__x86_64__)
#include "../lanes/avx512.h"
#define ROW(kernel)  avx512_##kernel
#define KECCAK_LEAST 2 // a pass of eight lanes costs less than two scalar ones
#include "kernel.h"
#endif
