// Every operation of the kernel over intervals, with products by 608 in two halves.
#include "interval_run.h"

void interval_ed25519(void);
void interval_ed25519(void) { run_over_intervals(); }
