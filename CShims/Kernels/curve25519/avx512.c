#if defined(__x86_64__)
#include "../lanes/avx512.h"
#define NAME(kernel) avx512_##kernel
#define DERIVE       avx512_derive
#define MUL_LEAST    2
#include "kernel.h"
#endif
