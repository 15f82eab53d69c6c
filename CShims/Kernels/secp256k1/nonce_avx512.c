#if defined(__x86_64__)
#include "../lanes/avx512.h"

#define ROW(kernel) avx512_##kernel
#include "nonce.h"
#endif
