#include "../lanes/portable.h"

#define ROW(kernel) portable_##kernel
#define DERIVE_FEW  0
#define BLAKE3_FEW  0
#include "kernel.h"
