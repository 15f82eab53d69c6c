#include "allocations.h"

#include <errno.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

static __thread uint64_t count;

uint64_t allocations_of_thread(void) { return count; }

#if defined(SANITIZED) || !defined(__GLIBC__)

int allocations_counted(void) { return 0; }

#else

int allocations_counted(void) { return 1; }

// glibc's own names for what is replaced below.
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t items, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

void *malloc(size_t bytes) {
    count++;
    return __libc_malloc(bytes);
}

void *calloc(size_t items, size_t bytes) {
    count++;
    return __libc_calloc(items, bytes);
}

void *realloc(void *old, size_t bytes) {
    count++;
    return __libc_realloc(old, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    count++;
    return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void **out, size_t alignment, size_t bytes) {
    void *memory = memalign(alignment, bytes);
    if (!memory) return ENOMEM;
    *out = memory;
    return 0;
}

void free(void *memory) { __libc_free(memory); }

#endif
