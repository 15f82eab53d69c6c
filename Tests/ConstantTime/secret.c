#include "secret.h"

#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>

void secret(void *memory, size_t bytes) { __msan_poison(memory, bytes); }
void taint_declassify(const void *memory, size_t bytes) { __msan_unpoison(memory, bytes); }
static int is_marked(const void *memory, size_t bytes) {
    return __msan_test_shadow(memory, bytes) >= 0;
}
int secret_sees_everything(void) { return 0; }
unsigned long secret_errors(void) { return 0; } // the first one ends the program

// A mask is secret as a whole if one of its bits is: the shadow does not follow a borrow.
uint64_t taint_barrier(uint64_t value) {
    if (__msan_test_shadow(&value, sizeof value) >= 0) __msan_poison(&value, sizeof value);
    return value;
}
#else
#include <valgrind/memcheck.h>

void secret(void *memory, size_t bytes) { (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, bytes); }
void taint_declassify(const void *memory, size_t bytes) {
    (void)VALGRIND_MAKE_MEM_DEFINED(memory, bytes);
}
static int is_marked(const void *memory, size_t bytes) {
    uint8_t bits[8] = {0}, sum = 0;
    (void)VALGRIND_GET_VBITS(memory, bits, bytes);
    for (size_t i = 0; i < bytes; i++) sum |= bits[i];
    return sum != 0;
}
int secret_sees_everything(void) { return 1; }
unsigned long secret_errors(void) { return VALGRIND_COUNT_ERRORS; }
#endif

int is_secret(const void *memory, size_t bytes) {
    const uint8_t *at = memory;
    for (size_t i = 0; i < bytes; i += 8)
        if (!is_marked(at + i, bytes - i < 8 ? bytes - i : 8)) return 0;
    return bytes > 0;
}
