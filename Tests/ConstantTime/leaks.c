// What a kernel must not do. Compiled as the kernels are.
#include "../../CShims/Kernels/common.h"
#include "secret.h"

uint64_t leak_by_branch(const uint8_t *key, size_t bytes) {
    static volatile uint64_t visits;
    for (size_t i = 0; i < bytes; i++)
        if (key[i] == 7) visits++;
    return visits;
}

uint64_t leak_by_index(const uint8_t *key, size_t bytes) {
    static volatile uint8_t table[256];
    uint64_t sum = 0;
    for (size_t i = 0; i < bytes; i++) sum += table[key[i]];
    return sum;
}

// The borrow of a subtraction decides: a shadow that only unites the operands' bits misses it.
uint64_t leak_by_borrow(const uint8_t *key, size_t bytes) {
    static volatile uint64_t visits;
    for (size_t i = 0; i < bytes; i++)
        if (mask_of((barrier(key[i]) - 1) >> 63)) visits++;
    return visits;
}
