#include "../../CShims/Kernels/lanes/portable.h"
#define NAME(kernel) portable_##kernel
#include "inverse_kernel.h"
