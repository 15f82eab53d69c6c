// Every operation of the kernel over intervals, in both forms of its products.
#define interval_product_form interval_curve25519
#include "interval_run.h"
