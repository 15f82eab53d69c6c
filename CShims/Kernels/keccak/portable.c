#include "../lanes/portable.h"
#define ROW(kernel)  portable_##kernel
#define KECCAK_LEAST 1
#include "kernel.h"
