#if defined(__x86_64__)
#include "../lanes/avx512.h"

#define ROW(kernel) avx512_##kernel
// Up to so many packets the scalar row is faster.
#define LIONESS_FEW 2
#include "kernel.h"
#endif
