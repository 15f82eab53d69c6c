#if defined(__x86_64__)
#include "../lanes/avx512.h"
#define ROW(kernel) avx512_##kernel
#define MAC_LEAST   3 // a pass of eight lanes costs less than three scalar ones
#include "kernel.h"
#endif
