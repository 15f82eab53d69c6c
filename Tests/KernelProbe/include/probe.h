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
