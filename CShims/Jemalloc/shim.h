#pragma once
#include <jemalloc/jemalloc.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t jemalloc_count(const char *name) {
    uint64_t epoch = 1;
    size_t value = 0, size = sizeof epoch;
    mallctl("epoch", &epoch, &size, &epoch, size);
    size = sizeof value;
    return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

// Bytes that the program holds.
static inline intptr_t jemalloc_allocated(void) {
    return (intptr_t)jemalloc_count("stats.allocated");
}

// Bytes of memory behind them.
static inline intptr_t jemalloc_resident(void) {
    return (intptr_t)jemalloc_count("stats.resident");
}
