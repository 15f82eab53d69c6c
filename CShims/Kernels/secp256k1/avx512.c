#if defined(__x86_64__)
#include "../lanes/avx512.h"
#define NAME(kernel) avx512_##kernel
#define PAIRS_LEAST  32
#define NONCE        avx512_ecdsa_nonce
#define KECCAK       avx512_keccak256
#define HASH_LEAST   2 // lanes that are worth a vector
#include "kernel.h"

TARGET void avx512_secp_prepare(void) {
    signer_make(&secp_signer, secp_generator);
    base_make(&secp_base, secp_generator);
}
#endif
