#define WORD_PRODUCTS         1
#define interval_product_form interval_curve25519_words
#include "interval_run.h"
