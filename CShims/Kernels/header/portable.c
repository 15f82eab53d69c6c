#include "../lanes/portable.h"

#define ROW(kernel) portable_##kernel
#define STREAM_FEW  0
#include "kernel.h"
