// Poly1305 over intervals: keys, messages and any number of blocks.
#include "../lanes/interval.h"
#include "kernel.h"

void interval_header_mac(void);

// The least interval that holds both; *grown is set where that is more than a.
static vec join(vec a, vec b, int *grown) {
    vec both = vec_select(0, a, b);
    if (both.least != a.least || both.most != a.most) *grown = 1;
    return both;
}

void interval_header_mac(void) {
    struct mac mac;
    vec tag[2], any[8];
    vec_load_block(NULL, 0, 64, any);
    mac_start(&mac, any);
    for (int grown = 1; grown;) {
        grown = 0;
        struct mac next = mac;
        mac_block(&next, any[0], any[1]);
        for (int i = 0; i < 3; i++) mac.h[i] = join(mac.h[i], next.h[i], &grown);
    }
    mac_finish(&mac, tag);
}
