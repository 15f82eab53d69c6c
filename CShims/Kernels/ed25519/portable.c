#include "../lanes/portable.h"
#define NAME(kernel) portable_##kernel
#define SHA512       scalar_sha512
#define SIGN_LEAST   3
#define VERIFY_LEAST 1
#include "kernel.h"
