// Made when the program is loaded, by the code that makes every key's table: a table printed into a
// header would be half a megabyte of digits that nobody reads, and one made at the first call
// would need a lock.
#include "../lanes/portable.h"

#include "base_multiples.h"
#include "multiples.h"

_Alignas(64) uint8_t ed25519_base_multiples[KERNELS_VERIFIER_BYTES];

__attribute__((constructor)) static void base_multiples_make(void) {
    // y = 4/5, x even.
    const vec word[4] = {
        0x6666666666666658, 0x6666666666666666, 0x6666666666666666, 0x6666666666666666};
    uint8_t *const at[LANES] = {ed25519_base_multiples};
    struct decoding decoding;
    struct factor power;
    struct doubler b;
    decoding_begin(&decoding, word);
    root_power(&power, &decoding.uv7, 1);
    (void)decoding_finish(&b, &decoding, &power);
    multiples_store(at, &b);
}
