// Tables of odd multiples; window.h says of what.
#pragma once
#include "../common.h"

// The base point's, for secret scalars: every limb's entries side by side.
#define BASE_BITS    6
#define BASE_WINDOWS 43
#define BASE_ENTRIES (1 << (BASE_BITS - 1))

struct secp_base {
    _Alignas(64) uint64_t limb[BASE_WINDOWS][10][BASE_ENTRIES];
};

// A signer's, for public scalars: 64 bytes an entry, x and y in words.
#define SIGNER_BITS    8
#define SIGNER_WINDOWS 32
#define SIGNER_ENTRIES (1 << (SIGNER_BITS - 1))

struct secp_signer {
    _Alignas(64) uint8_t point[64]; // x || y, big-endian
    _Alignas(64) uint8_t entry[SIGNER_WINDOWS][SIGNER_ENTRIES][64];
};
_Static_assert(sizeof(struct secp_signer) == KERNELS_SIGNER_BYTES, "a signer's table");

// The base point's, in both forms, made once before main; and the point, x || y big-endian.
extern struct secp_base secp_base;
extern struct secp_signer secp_signer;
extern const uint8_t secp_generator[64];
