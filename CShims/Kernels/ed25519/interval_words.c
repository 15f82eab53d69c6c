// Every operation of the kernel over intervals, with products by 608 in one word.
#define WORD_PRODUCTS 1
#include "interval_run.h"

void interval_ed25519_words(void);
void interval_ed25519_words(void) { run_over_intervals(); }
