// The reduction of half-keys over intervals, for every hash.
#include "../lanes/interval.h"
#include "../secp256k1/reduce48.h"

void interval_half_keys(void);

void interval_half_keys(void) {
    vec words[6], out[4];
    for (int i = 0; i < 6; i++) words[i] = vec_bounds(0, UINT64_MAX);
    reduce48(words, out);
}
