#include "../lanes/portable.h"
#define NAME(kernel) portable_##kernel
#define DERIVE       scalar_derive
#include "kernel.h"
