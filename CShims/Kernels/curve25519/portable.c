#include "../lanes/portable.h"
#define NAME(kernel) portable_##kernel
#define DERIVE       scalar_derive
// None: for one scalar a comb costs more than the scalar row's table.
#define MUL_LEAST 65
#include "kernel.h"
