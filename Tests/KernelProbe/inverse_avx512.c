#if defined(__x86_64__)
#include "../../CShims/Kernels/lanes/avx512.h"
#define NAME(kernel) avx512_##kernel
#include "inverse_kernel.h"
#endif
