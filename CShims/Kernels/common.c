#include "common.h"

void wipe_stack(void) {
    uint8_t dead[4096];
    wipe(dead, sizeof dead);
}
