#include "../lanes/portable.h"

#define ROW(kernel)  portable_##kernel
#define SHA512_LEAST 1
#define SHA256_FEW   0
#include "kernel.h"
