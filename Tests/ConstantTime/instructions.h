// Included before every file that MemorySanitizer compiles. It knows most vector instructions; of
// those below it loses what was secret (gathers), or takes any secret operand for a leak (scatters,
// ternary logic, permutations). Here they are written in words that it follows.
#pragma once
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define TAINT_INLINE static inline __attribute__((always_inline, unused, target("avx512f")))

// -- Ternary logic: bit 4a + 2b + c of the table.

TAINT_INLINE __m512i taint_ternary(__m512i a, __m512i b, __m512i c, int table) {
    __m512i ones = _mm512_set1_epi64(-1), out = _mm512_setzero_si512();
    for (int k = 0; k < 8; k++) {
        if (!(table >> k & 1)) continue;
        __m512i term = k & 4 ? a : _mm512_xor_si512(a, ones);
        term = _mm512_and_si512(term, k & 2 ? b : _mm512_xor_si512(b, ones));
        term = _mm512_and_si512(term, k & 1 ? c : _mm512_xor_si512(c, ones));
        out = _mm512_or_si512(out, term);
    }
    return out;
}
#undef _mm512_ternarylogic_epi64
#undef _mm512_ternarylogic_epi32
#define _mm512_ternarylogic_epi64(a, b, c, table) taint_ternary(a, b, c, table)
#define _mm512_ternarylogic_epi32(a, b, c, table) taint_ternary(a, b, c, table)

// -- Permutations by an index in each lane, of which the low four bits count.

TAINT_INLINE __m512i taint_permute(__m512i low, __m512i index, __m512i high) {
    __m512i out = _mm512_setzero_si512();
    index = _mm512_and_si512(index, _mm512_set1_epi64(15));
    for (int k = 0; k < 16; k++) {
        int64_t word;
        memcpy(&word, (const char *)(k < 8 ? &low : &high) + 8 * (k % 8), 8);
        __mmask8 here = _mm512_cmpeq_epi64_mask(index, _mm512_set1_epi64(k));
        out = _mm512_mask_blend_epi64(here, out, _mm512_set1_epi64(word));
    }
    return out;
}
#undef _mm512_permutex2var_epi64
#define _mm512_permutex2var_epi64(low, index, high) taint_permute(low, index, high)

// -- Gathers and scatters: `lanes` values of `size` bytes, indices of `wide` bytes.

TAINT_INLINE const char *taint_place(const __m512i *index, size_t wide, int lane, const void *base,
                                     long scale) {
    int64_t place = 0;
    int32_t narrow = 0;
    const char *from = (const char *)index + wide * (size_t)lane;
    if (wide == 8) memcpy(&place, from, 8);
    if (wide == 4) memcpy(&narrow, from, 4), place = narrow;
    return (const char *)((uintptr_t)base + (uintptr_t)(place * scale));
}

TAINT_INLINE __m512i taint_gather(__m512i out, unsigned mask, __m512i index, const void *base,
                                  long scale, int lanes, size_t size, size_t wide) {
    for (int lane = 0; lane < lanes; lane++)
        if (mask >> lane & 1)
            memcpy((char *)&out + size * (size_t)lane,
                   taint_place(&index, wide, lane, base, scale),
                   size);
    return out;
}

TAINT_INLINE void taint_scatter(void *base, unsigned mask, __m512i index, __m512i in, long scale,
                                int lanes, size_t size, size_t wide) {
    for (int lane = 0; lane < lanes; lane++)
        if (mask >> lane & 1)
            memcpy((char *)(uintptr_t)taint_place(&index, wide, lane, base, scale),
                   (const char *)&in + size * (size_t)lane,
                   size);
}

#define TAINT_ZERO _mm512_setzero_si512()
#undef _mm512_i64gather_epi64
#undef _mm512_mask_i64gather_epi64
#undef _mm512_i32gather_epi32
#undef _mm512_mask_i32gather_epi32
#define _mm512_i64gather_epi64(index, base, scale)                                                 \
    taint_gather(TAINT_ZERO, 0xff, index, base, scale, 8, 8, 8)
#define _mm512_mask_i64gather_epi64(old, mask, index, base, scale)                                 \
    taint_gather(old, mask, index, base, scale, 8, 8, 8)
#define _mm512_i32gather_epi32(index, base, scale)                                                 \
    taint_gather(TAINT_ZERO, 0xffff, index, base, scale, 16, 4, 4)
#define _mm512_mask_i32gather_epi32(old, mask, index, base, scale)                                 \
    taint_gather(old, mask, index, base, scale, 16, 4, 4)
#undef _mm512_i32gather_epi64
#define _mm512_i32gather_epi64(index, base, scale)                                                 \
    taint_gather(TAINT_ZERO, 0xff, _mm512_castsi256_si512(index), base, scale, 8, 8, 4)
#undef _mm512_i64gather_epi32
#define _mm512_i64gather_epi32(index, base, scale)                                                 \
    _mm512_castsi512_si256(taint_gather(TAINT_ZERO, 0xff, index, base, scale, 8, 4, 8))

#undef _mm512_i64scatter_epi64
#undef _mm512_mask_i64scatter_epi64
#undef _mm512_i32scatter_epi32
#undef _mm512_mask_i32scatter_epi32
#define _mm512_i64scatter_epi64(base, index, in, scale)                                            \
    taint_scatter(base, 0xff, index, in, scale, 8, 8, 8)
#define _mm512_mask_i64scatter_epi64(base, mask, index, in, scale)                                 \
    taint_scatter(base, mask, index, in, scale, 8, 8, 8)
#define _mm512_i32scatter_epi32(base, index, in, scale)                                            \
    taint_scatter(base, 0xffff, index, in, scale, 16, 4, 4)
#define _mm512_mask_i32scatter_epi32(base, mask, index, in, scale)                                 \
    taint_scatter(base, mask, index, in, scale, 16, 4, 4)
#undef _mm512_i64scatter_epi32
#define _mm512_i64scatter_epi32(base, index, in, scale)                                            \
    taint_scatter(base, 0xff, index, _mm512_castsi256_si512(in), scale, 8, 4, 8)
#endif
