#include "../lanes/portable.h"

#define ROW(kernel) portable_##kernel
#include "nonce.h"
