// BLAKE3 context keys: BLAKE3 of the name in derive_key_context mode.
// CryptoTests computes them anew.
#pragma once
#include "kernels.h"

static const uint32_t context_keys[KERNELS_CONTEXT_COUNT][8] = {
    // HASH_KEY_SPHINX_SECRET
    [KERNELS_SPHINX_SECRET] = {0xd6a94a9d,
                               0xd79357b0,
                               0xeb753821,
                               0xd51b3e55,
                               0x44c93238,
                               0xaf296afa,
                               0x8879c805,
                               0xbd890b61},
    // HASH_KEY_SPHINX_BLINDING
    [KERNELS_SPHINX_BLINDING] = {0x71661b20,
                                 0xc482df27,
                                 0xd2c667ba,
                                 0xf0611e9c,
                                 0x473398e6,
                                 0xf2d11134,
                                 0xfd12d01d,
                                 0x55fdad5c},
    // HASH_KEY_PRG
    [KERNELS_PRG] = {0x2f0ce0fa,
                     0x0e3ff63c,
                     0xc8381d31,
                     0xe22e34a6,
                     0xcdacb78c,
                     0x04e620dd,
                     0x2c2955f2,
                     0xab86e6eb},
    // HASH_KEY_TAG
    [KERNELS_TAG] = {0xb2ac8c88,
                     0xdf7fdb76,
                     0x41a11b4a,
                     0x7aafb291,
                     0xec13757e,
                     0x0233b53f,
                     0x7995c3cf,
                     0xa98a2793},
    // HASH_KEY_PRP
    [KERNELS_PRP] = {0xf46b4b9f,
                     0xcec6c744,
                     0x4c1dde1f,
                     0xe08806b3,
                     0x87b37ff6,
                     0xacc297db,
                     0xa49874be,
                     0x056705ff},
    // HASH_KEY_PACKET_TAG
    [KERNELS_PACKET_TAG] = {0xb58da6e2,
                            0x3fd892d8,
                            0x47edb319,
                            0xe1f5506e,
                            0x35ad5cfd,
                            0x1fcaf14a,
                            0xe6d1e9a9,
                            0xc4376c4e},
    // HASH_KEY_REPLY_PRP
    [KERNELS_REPLY_PRP] = {0x78e8a75c,
                           0x75a086f9,
                           0x164b5c1a,
                           0xb6e3d0d5,
                           0x252b752a,
                           0x383353af,
                           0xe1a11a9f,
                           0x3f77242e},
    // DRAY_COMMITMENT_SEED
    [KERNELS_COMMITMENT_SEED] = {0xa1815d77,
                                 0xe9d008a1,
                                 0xb2680d7a,
                                 0xe7c98d97,
                                 0x89051197,
                                 0x08e0a4ff,
                                 0xce405500,
                                 0xa0553763},
};
