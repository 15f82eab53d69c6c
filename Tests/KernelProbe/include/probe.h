// Lets the tests reach the fields inside the kernels, limb by limb.
#pragma once
#include <stdint.h>

enum probe_operation { PROBE_ADD, PROBE_SUB, PROBE_SUB_LOOSE, PROBE_MUL, PROBE_INVERT };

// 2^255 - 19: the operation's limbs as they come, and the reduced value, little-endian.
void probe_curve25519(enum probe_operation operation, const uint64_t *a, const uint64_t *b,
                      uint64_t *limbs, uint8_t *out);
// 2^256 - 2^32 - 977: the reduced value, big-endian. PROBE_SUB_LOOSE is PROBE_SUB.
void probe_secp256k1(enum probe_operation operation, const uint64_t *a, const uint64_t *b,
                     uint8_t *out);
// 48 bytes big-endian to 32 bytes big-endian, reduced.
void probe_secp256k1_load48(const uint8_t *in, uint8_t *out);

// -- Inverses, of four words each, little-endian

enum probe_modulus { PROBE_P25519, PROBE_SECP256K1, PROBE_SECP256K1_ORDER };
void probe_inverse(enum probe_modulus modulus, const uint64_t *in, uint64_t *out);
// In place, modulo 2^255 - 19, of values below 2^255 in the lanes of a row: up to eight. Their
// number, or 0 if this machine cannot run the row.
int probe_inverse_lanes(const char *row, uint64_t *values);
// 1 if out is below the modulus and in * out is 1, or 0 where out is 0; by other code.
int probe_inverse_holds(enum probe_modulus modulus, const uint64_t *in, const uint64_t *out);

// -- Rows against the scalar one

// The names of the table's kernels; NULL after the last.
const char *probe_kernel(int index);
// How many kernels the table has.
int probe_table_size(void);
// 1 if a case costs a scalar multiplication or as much, 2 if it costs many, 0 if it is cheap.
int probe_cost(const char *kernel);
// 1 if this machine can run the row.
int probe_runs(const char *row);

struct probe_failure {
    uint64_t live;
    int lane;   // the first that failed
    char *text; // its inputs and both results in hex; free() it
};

// Runs at least one case for each of `cases` lanes' work on row `row` and on row scalar, over
// random and extreme inputs, and returns the mismatches: one for each lane whose results differ,
// one for each batch that changed or read other memory. UINT64_MAX if there is no such row or
// kernel. The seed says everything. Catches SIGSEGV while a kernel runs.
uint64_t probe_differential(const char *row, const char *kernel, uint64_t seed, uint64_t cases,
                            struct probe_failure *first);
// The same with a row that was made wrong on purpose.
enum probe_wrong {
    PROBE_WRONG_LANE,  // one lane's result
    PROBE_WRONG_WRITE, // writes beyond its lanes
    PROBE_WRONG_READ,  // reads lanes that are not live
    PROBE_WRONG_MASK,  // a mask with lanes that are not live
    PROBE_WRONG_SHORT, // reads all of a block when there is less
    PROBE_WRONG_POINT, // takes no point whose y is not reduced
};
uint64_t probe_differential_wrong(enum probe_wrong how, uint64_t seed, uint64_t cases,
                                  struct probe_failure *first);

// -- The arithmetic in the lanes of a row, below its kernels

// "field_25519" and so on; NULL after the last.
const char *probe_lanes(int index);
// Runs that part of the row, portable or avx512, and counts lanes that do not agree with scalar
// code: random programs over the fields and the numbers modulo n, the formulas for points over
// every pair of a few small groups. UINT64_MAX if there is no such row or part.
uint64_t probe_lanes_check(const char *row, const char *name, uint64_t seed, uint64_t cases,
                           struct probe_failure *first);
// The same with mistakes that show only at an edge.
enum probe_wrong_lanes {
    PROBE_WRONG_TOP,     // the topmost bit of a wide limb is lost
    PROBE_WRONG_NOISE,   // bits that do not count do
    PROBE_WRONG_REDUCED, // a number between the prime and its top is not reduced
    PROBE_WRONG_LIMB,    // a limb at its largest, or a number in the middle, is wrong
    PROBE_WRONG_EQUAL,   // a sum of equal terms is wrong
    PROBE_WRONG_ODD,     // the last of an odd number of terms is lost
};
uint64_t probe_lanes_wrong(enum probe_wrong_lanes how, const char *name, uint64_t seed,
                           uint64_t cases, struct probe_failure *first);

// -- The proof by intervals

// The kernels it runs over, and what they do wrong, the first of it in words.
int probe_interval_count(void);
uint64_t probe_interval_faults(const char **first);
// Computations in the lane vocabulary: one that is right, others that go below zero or past 2^64.
enum probe_interval {
    PROBE_INTERVAL_SOUND,
    PROBE_INTERVAL_UNBIASED,   // a difference without a bias
    PROBE_INTERVAL_SHORT_BIAS, // with one that is too small
    PROBE_INTERVAL_SUM,
    PROBE_INTERVAL_COLUMN, // too many products in a column
    PROBE_INTERVAL_DOUBLE,
};
uint64_t probe_interval_of(enum probe_interval how, const char **first);
