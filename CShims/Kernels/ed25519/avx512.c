#if defined(__x86_64__)
#include "../lanes/avx512.h"
#define NAME(kernel) avx512_##kernel
#define SHA512       avx512_sha512
#define SIGN_LEAST   1
#define VERIFY_LEAST 1
#include "kernel.h"
#endif
