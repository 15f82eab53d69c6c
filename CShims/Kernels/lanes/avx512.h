// The lane vocabulary for AVX-512 with IFMA: eight lanes of 64 bits, sixteen of 32.
//
// A kernel is written once in these words and compiled once for each file in this folder. Every
// file defines the same words; `portable.h` says the same thing with one lane, and `interval.h`
// computes bounds instead of numbers.
#pragma once
#include "../common.h"
#include <immintrin.h>

#define TARGET                                                                                     \
    __attribute__((                                                                                \
        target("avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,bmi2")))
#define INLINE static inline __attribute__((always_inline)) TARGET
// A part of a kernel that is called, to keep the code small. Its stack is aligned to vectors, for
// what it has no registers for: a 64-byte access across two cache lines costs two.
#define ROUTINE static __attribute__((noinline, unused, force_align_arg_pointer)) TARGET

// -- 64-bit lanes

#define LANES         8
#define WORD_PRODUCTS 0 // a product of more than 52 bits takes two operations
#define LANES_ALL     0xff
typedef __m512i vec;
typedef uint8_t mask; // one bit a lane, in a form of the machine's own

INLINE vec vec_set(uint64_t x) { return _mm512_set1_epi64((long long)x); }
INLINE vec vec_add(vec a, vec b) { return _mm512_add_epi64(a, b); }
INLINE vec vec_sub(vec a, vec b) { return _mm512_sub_epi64(a, b); }
INLINE vec vec_and(vec a, vec b) { return _mm512_and_si512(a, b); }
INLINE vec vec_or(vec a, vec b) { return _mm512_or_si512(a, b); }
INLINE vec vec_xor(vec a, vec b) { return _mm512_xor_si512(a, b); }
INLINE vec vec_andnot(vec a, vec b) { return _mm512_andnot_si512(a, b); } // ~a & b
INLINE vec vec_xor3(vec a, vec b, vec c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
// Bit by bit: b where a is 1, else c; and what two of the three have.
INLINE vec vec_choose(vec a, vec b, vec c) { return _mm512_ternarylogic_epi64(a, b, c, 0xca); }
INLINE vec vec_majority(vec a, vec b, vec c) { return _mm512_ternarylogic_epi64(a, b, c, 0xe8); }
#define vec_shl(a, n) _mm512_slli_epi64(a, n)
#define vec_shr(a, n) _mm512_srli_epi64(a, n)
// 64 bits from bit n on of high || low; 0 < n < 64.
#define vec_funnel(low, high, n) _mm512_shrdi_epi64(low, high, n)
#define vec_rol(a, n)            _mm512_rol_epi64(a, n)
INLINE uint64_t mask_lanes(mask m) { return m; } // bit i is lane i
INLINE vec vec_select(mask m, vec a, vec b) {
    return _mm512_mask_blend_epi64(m, b, a);
} // m ? a : b
INLINE mask vec_zero_mask(vec a) { return _mm512_testn_epi64_mask(a, a); }
INLINE mask vec_bit_mask(vec a, uint64_t bit) { return _mm512_test_epi64_mask(a, vec_set(bit)); }
INLINE mask vec_equal_mask(vec a, uint64_t b) { return _mm512_cmpeq_epi64_mask(a, vec_set(b)); }
INLINE mask mask_from(uint64_t lanes) { return (mask)lanes; }
// The bytes of each lane in reverse: big-endian words.
INLINE vec vec_swap_bytes(vec a) {
    const vec places = _mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607);
    return _mm512_shuffle_epi8(a, places);
}

// One number out of the lanes, and one that was computed outside into all of them.
INLINE uint64_t vec_first(vec a) { return (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(a)); }
INLINE vec vec_spread(uint64_t x) { return vec_set(x); }
// Lane i takes what lane i ^ distance has, for a power of two below LANES.
INLINE vec vec_exchange(vec a, int distance) {
    if (distance == 1) return _mm512_permutex_epi64(a, 0xb1);
    if (distance == 2) return _mm512_permutex_epi64(a, 0x4e);
    return _mm512_shuffle_i64x2(a, a, 0x4e);
}

// A factor is read modulo 2^52, so that a limb needs no mask before it is multiplied:
// vec_factor() says "only the low 52 bits count from here on", and costs nothing on this machine.
INLINE vec vec_factor(vec a) { return a; }

// The reader may rely on a <= most; interval.h checks it.
#define vec_claim(a, most) (a)

// Sums of products, by columns of 52 bits. Column k is low(c[k]); columns_settle() brings them
// into that form, where a column is below 2^64 if the products that went in say so.
typedef vec column;
INLINE column column_of(vec a) { return a; }
INLINE void column_add_product(column *at, vec a, vec b) {
    at[0] = _mm512_madd52lo_epu64(at[0], a, b);
    at[1] = _mm512_madd52hi_epu64(at[1], a, b);
}
// Twice what lies in columns from..to-1.
INLINE void columns_double(column *c, int from, int to) {
    for (int k = from; k < to; k++) c[k] = vec_add(c[k], c[k]);
}
INLINE void columns_settle(const column *c, int count, vec *out) {
    for (int k = 0; k < count; k++) out[k] = c[k];
}
// Does nothing, at a time that the compiler keeps: after what made the five, before what reads
// them, and in the order of all these calls. The sanitizer would take the five for public.
#ifdef BARRIER_IS_CALL
INLINE void vecs_hold(vec v[5]) { (void)v; }
#else
INLINE void vecs_hold(vec v[5]) {
    __asm__ volatile("" : "+v"(v[0]), "+v"(v[1]), "+v"(v[2]), "+v"(v[3]), "+v"(v[4]));
}
#endif
// c + low 52 bits of (a mod 2^52) * (b mod 2^52); and c + what lies above them.
INLINE vec vec_add_low(vec c, vec a, vec b) { return _mm512_madd52lo_epu64(c, a, b); }
INLINE vec vec_add_high(vec c, vec a, vec b) { return _mm512_madd52hi_epu64(c, a, b); }

// 64-bit words at at[lane] + offset, little-endian.
INLINE vec vec_load(const uint8_t *const at[LANES], size_t offset) {
    __m512i address = _mm512_loadu_si512((const void *)at);
    return _mm512_i64gather_epi64(
        _mm512_add_epi64(address, _mm512_set1_epi64((long long)offset)), (const void *)0, 1);
}
INLINE void vec_store(uint8_t *const at[LANES], size_t offset, vec a) {
    __m512i address = _mm512_loadu_si512((const void *)at);
    _mm512_i64scatter_epi64(
        (void *)0, _mm512_add_epi64(address, _mm512_set1_epi64((long long)offset)), a, 1);
}
// One of PICKS words in each lane, by an index below PICKS that may be secret: all are read.
#define PICKS 32
struct pick {
    vec index;
    mask upper;
};
INLINE struct pick pick_of(vec index) {
    return (struct pick){index, vec_bit_mask(index, PICKS / 2)};
}
INLINE vec vec_pick(const uint64_t word[PICKS], const struct pick *pick) {
    vec at[4];
    for (int i = 0; i < 4; i++) at[i] = _mm512_loadu_si512(word + 8 * i);
    vec low = _mm512_permutex2var_epi64(at[0], pick->index, at[1]);
    vec high = _mm512_permutex2var_epi64(at[2], pick->index, at[3]);
    return vec_select(pick->upper, high, low);
}
// Rows become columns: word j of a[i] changes places with word i of a[j].
INLINE void vec_transpose(vec a[8]) {
    vec b[8];
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm512_unpacklo_epi64(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        for (int half = 0; half < 8; half += 4) {
            a[half + i] = _mm512_shuffle_i64x2(b[half + i], b[half + i + 2], 0x88);
            a[half + i + 2] = _mm512_shuffle_i64x2(b[half + i], b[half + i + 2], 0xdd);
        }
    }
    for (int i = 0; i < 4; i++) {
        b[i] = _mm512_shuffle_i64x2(a[i], a[i + 4], 0x88);
        b[i + 4] = _mm512_shuffle_i64x2(a[i], a[i + 4], 0xdd);
    }
    for (int i = 0; i < 8; i++) a[i] = b[i];
}
// Eight words in a row: words[k] is the word at at[lane] + offset + 8 k. Of the 64 bytes only the
// first `bytes` are read or written; what is not read is 0.
INLINE void vec_load_block(const uint8_t *const at[LANES], size_t offset, size_t bytes,
                           vec words[8]) {
    const __mmask64 part = bytes < 64 ? ((__mmask64)1 << bytes) - 1 : ~(__mmask64)0;
    for (int i = 0; i < LANES; i++) words[i] = _mm512_maskz_loadu_epi8(part, at[i] + offset);
    vec_transpose(words);
}
INLINE void vec_store_block(uint8_t *const at[LANES], size_t offset, size_t bytes,
                            const vec words[8]) {
    const __mmask64 part = bytes < 64 ? ((__mmask64)1 << bytes) - 1 : ~(__mmask64)0;
    vec rows[8];
    for (int i = 0; i < 8; i++) rows[i] = words[i];
    vec_transpose(rows);
    for (int i = 0; i < LANES; i++) _mm512_mask_storeu_epi8(at[i] + offset, part, rows[i]);
}

// Four words in a row, 32 bytes.
INLINE void vec_load_half(const uint8_t *const at[LANES], size_t offset, vec words[4]) {
    vec a[4];
    // Lanes i and i + 2 share a row, so that pairs of pairs come out in order.
    for (int i = 0; i < 4; i++) {
        int lane = i % 2 + 4 * (i / 2);
        a[i] = _mm512_castsi256_si512(_mm256_loadu_si256((const void *)(at[lane] + offset)));
        a[i] = _mm512_mask_broadcast_i64x4(
            a[i], 0xf0, _mm256_loadu_si256((const void *)(at[lane + 2] + offset)));
    }
    vec even[2], odd[2];
    for (int i = 0; i < 2; i++) {
        even[i] = _mm512_unpacklo_epi64(a[2 * i], a[2 * i + 1]);
        odd[i] = _mm512_unpackhi_epi64(a[2 * i], a[2 * i + 1]);
    }
    words[0] = _mm512_shuffle_i64x2(even[0], even[1], 0x88);
    words[1] = _mm512_shuffle_i64x2(odd[0], odd[1], 0x88);
    words[2] = _mm512_shuffle_i64x2(even[0], even[1], 0xdd);
    words[3] = _mm512_shuffle_i64x2(odd[0], odd[1], 0xdd);
}

// -- 32-bit lanes

#define LANES32 16
typedef __m512i vec32;

INLINE vec32 vec32_set(uint32_t x) { return _mm512_set1_epi32((int)x); }
INLINE vec32 vec32_add(vec32 a, vec32 b) { return _mm512_add_epi32(a, b); }
INLINE vec32 vec32_xor(vec32 a, vec32 b) { return _mm512_xor_si512(a, b); }
INLINE vec32 vec32_and(vec32 a, vec32 b) { return _mm512_and_si512(a, b); }
INLINE vec32 vec32_or(vec32 a, vec32 b) { return _mm512_or_si512(a, b); }
INLINE vec32 vec32_xor3(vec32 a, vec32 b, vec32 c) {
    return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}
INLINE vec32 vec32_choose(vec32 a, vec32 b, vec32 c) {
    return _mm512_ternarylogic_epi32(a, b, c, 0xca);
}
INLINE vec32 vec32_majority(vec32 a, vec32 b, vec32 c) {
    return _mm512_ternarylogic_epi32(a, b, c, 0xe8);
}
#define vec32_shl(a, n) _mm512_slli_epi32(a, n)
#define vec32_shr(a, n) _mm512_srli_epi32(a, n)
#define vec32_rol(a, n) _mm512_rol_epi32(a, n)
// All ones where bit is 1, zero where it is 0.
INLINE vec32 vec32_mask_of(vec32 bit) { return _mm512_sub_epi32(vec32_set(0), bit); }
// Which lanes hold b: bit i is lane i.
INLINE uint64_t vec32_equal_lanes(vec32 a, uint32_t b) {
    return _mm512_cmpeq_epi32_mask(a, vec32_set(b));
}
INLINE vec32 vec32_swap_bytes(vec32 a) {
    const vec32 places = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
    return _mm512_shuffle_epi8(a, places);
}

// -- Blocks: 64 bytes of every lane, as sixteen vectors of one word each
//
// bytes <= 64 says how many of them there are; no others are read or written, and missing ones
// read as zero. Only the first `lanes` lanes are written.

#define ROWS(i) for (int i = 0; i < 16; i++)

INLINE __mmask64 byte_mask(size_t bytes) { return _bzhi_u64(~0ULL, (unsigned)bytes); }

// Word i of row j to word j of row i.
INLINE void vec32_turn(vec32 rows[16]) {
    vec32 a[16], b[16];
    for (int i = 0; i < 16; i += 2) {
        a[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        a[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
        b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
        b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    // Row 4 g + k has, in its quarter q, word 4 q + k of rows 4 g .. 4 g + 3.
    for (int k = 0; k < 4; k++) {
        vec32 even_low = _mm512_shuffle_i32x4(b[k], b[4 + k], 0x88);
        vec32 odd_low = _mm512_shuffle_i32x4(b[k], b[4 + k], 0xdd);
        vec32 even_high = _mm512_shuffle_i32x4(b[8 + k], b[12 + k], 0x88);
        vec32 odd_high = _mm512_shuffle_i32x4(b[8 + k], b[12 + k], 0xdd);
        rows[k] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        rows[4 + k] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        rows[8 + k] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
        rows[12 + k] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
    }
}
// Bytes at at[lane] + offset.
INLINE void vec32_load_block(uint8_t *const at[LANES32], size_t offset, size_t bytes,
                             vec32 words[16]) {
    if (bytes == 64)
        ROWS(i) words[i] = _mm512_loadu_si512(at[i] + offset);
    else
        ROWS(i) words[i] = _mm512_maskz_loadu_epi8(byte_mask(bytes), at[i] + offset);
    vec32_turn(words);
}
// Bytes from offset on of first[lane][0..first_bytes) || second[lane].
INLINE void vec32_load_joined(uint8_t *const first[LANES32], size_t first_bytes,
                              uint8_t *const second[LANES32], size_t offset, size_t bytes,
                              vec32 words[16]) {
    if (offset >= first_bytes) {
        vec32_load_block(second, offset - first_bytes, bytes, words);
        return;
    }
    size_t left = first_bytes - offset < bytes ? first_bytes - offset : bytes;
    __mmask64 own = byte_mask(left), other = byte_mask(bytes) & ~own;
    ROWS(i) {
        // Where second would begin if first's bytes were its own; those are masked.
        const uint8_t *before = (const uint8_t *)((uintptr_t)second[i] - first_bytes + offset);
        words[i] =
            _mm512_mask_loadu_epi8(_mm512_maskz_loadu_epi8(own, first[i] + offset), other, before);
    }
    vec32_turn(words);
}
INLINE void row_store(uint8_t *at, size_t bytes, vec32 row) {
    if (bytes == 64)
        _mm512_storeu_si512(at, row);
    else if (bytes == 32)
        _mm256_storeu_si256((__m256i_u *)at, _mm512_castsi512_si256(row));
    else
        _mm512_mask_storeu_epi8(at, byte_mask(bytes), row);
}
INLINE void vec32_store_block(uint8_t *const at[LANES32], int lanes, size_t offset, size_t bytes,
                              const vec32 words[16]) {
    vec32 rows[16];
    ROWS(i) rows[i] = words[i];
    vec32_turn(rows);
    ROWS(i) if (i < lanes) row_store(at[i] + offset, bytes, rows[i]);
}
// out := in ^ words, with in_bytes of in.
INLINE void vec32_xor_block(uint8_t *const in[LANES32], size_t in_bytes,
                            uint8_t *const out[LANES32], int lanes, size_t offset, size_t bytes,
                            const vec32 words[16]) {
    vec32 rows[16];
    ROWS(i) rows[i] = words[i];
    vec32_turn(rows);
    __mmask64 own = byte_mask(in_bytes);
    ROWS(i) if (i < lanes) {
        vec32 under = in_bytes == 0 ? vec32_set(0) : _mm512_maskz_loadu_epi8(own, in[i] + offset);
        row_store(out[i] + offset, bytes, vec32_xor(rows[i], under));
    }
}
// Sixteen vectors put where the sixteen lanes' blocks are, and taken from there: in between the
// blocks hold each other's words. For whole blocks of LANES32 lanes.
INLINE void vec32_store_turned(uint8_t *const at[LANES32], size_t offset, const vec32 words[16]) {
    ROWS(i) _mm512_storeu_si512(at[i] + offset, words[i]);
}
// Turned words ^= mask, which go to `words` too.
INLINE void vec32_xor_turned(uint8_t *const at[LANES32], size_t offset, const vec32 mask[16],
                             vec32 words[16]) {
    ROWS(i) {
        vec32 word = vec32_xor(_mm512_loadu_si512(at[i] + offset), mask[i]);
        _mm512_storeu_si512(at[i] + offset, word);
        words[i] = word;
    }
}
INLINE void vec32_load_turned(uint8_t *const at[LANES32], size_t offset, vec32 words[16]) {
    ROWS(i) words[i] = _mm512_loadu_si512(at[i] + offset);
}
#undef ROWS
