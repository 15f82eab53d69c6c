// What every kernel shares. No libc but memcpy, memset, memmove.
#pragma once
#include "kernels.h"
#include <string.h>

static inline uint8_t *lane_at(struct kernels_lanes lanes, int lane) {
    size_t place = lanes.slot ? lanes.slot[lane] : (size_t)lane;
    return lanes.base + lanes.stride * place;
}

// Takes the lowest lane out of a mask that is not empty.
static inline int lane_next(uint64_t *mask) {
    int lane = __builtin_ctzll(*mask);
    *mask &= *mask - 1;
    return lane;
}

#define FOR_LANES(lane, live)                                                                      \
    for (uint64_t lanes_ = (live); lanes_ != 0;)                                                   \
        for (int lane = lane_next(&lanes_), once_ = 1; once_; once_ = 0)

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define BARRIER_IS_CALL 1
#endif
#endif

#ifdef DRAY_TAINT
// Tests/ConstantTime: what was secret is public from here on. Each use has a line in its README.
void taint_declassify(const void *memory, size_t bytes);
#define DECLASSIFY(memory, bytes) taint_declassify(memory, bytes)
#else
#define DECLASSIFY(memory, bytes) ((void)0)
#endif

// Hides where a value came from, so that no compiler turns a mask back into a
// branch.
#ifdef BARRIER_IS_CALL
// The sanitizer takes what comes out of an assembler line for public.
uint64_t taint_barrier(uint64_t value);
static inline uint64_t barrier(uint64_t value) { return taint_barrier(value); }
#else
static inline uint64_t barrier(uint64_t value) {
    __asm__("" : "+r"(value));
    return value;
}
#endif

// All ones if bit is 1, zero if it is 0.
static inline uint64_t mask_of(uint64_t bit) { return barrier(0 - bit); }

// Overwrites secrets; the barrier keeps the stores. 2 kB at a time: for more the C library takes an
// instruction that is slow on memory that is not at hand.
static inline void wipe(void *memory, size_t bytes) {
    uint8_t *at = (uint8_t *)memory;
    for (; bytes > 2048; at += 2048, bytes -= 2048) {
        memset(at, 0, 2048);
        __asm__ volatile("" : : "r"(at) : "memory");
    }
    memset(at, 0, bytes);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

// Overwrites the part of the stack that calls made before may have left secrets
// in: spilled registers and the like.
void wipe_stack(void);

static inline uint32_t load32(const uint8_t *in) {
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static inline uint64_t load64(const uint8_t *in) {
    return load32(in) | (uint64_t)load32(in + 4) << 32;
}

static inline void store32(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static inline void store64(uint8_t *out, uint64_t value) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t load64_big(const uint8_t *in) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | in[i];
    return value;
}

static inline void store64_big(uint8_t *out, uint64_t value) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(value >> (56 - 8 * i));
}
