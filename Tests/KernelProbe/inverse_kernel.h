// Included after a vocabulary, with NAME(x), the row's prefix.
#include "../../CShims/Kernels/curve25519/lane_field.h"
#include "../../CShims/Kernels/inverse/lanes.h"
#include "inverse_lanes.h"

TARGET int NAME(inverse_lanes)(uint64_t (*value)[4]) {
    uint8_t bytes[LANES][32], *at[LANES];
    vec word[8];
    (void)root_power; // the field's, and not needed here
    for (int lane = 0; lane < LANES; lane++) {
        at[lane] = bytes[lane];
        for (int i = 0; i < 4; i++) store64(bytes[lane] + 8 * i, value[lane][i]);
    }
    vec_load_block((const uint8_t *const *)at, 0, 32, word);
    struct factor a = factor_load(word);
    factor_invert(&a, &a, &modulus_p25519);
    struct sum inverted = reduced(&a);
    reduced_words(&inverted, word);
    vec_store_block(at, 0, 32, word);
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < 4; i++) value[lane][i] = load64(bytes[lane] + 8 * i);
    return LANES;
}
