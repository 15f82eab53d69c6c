#include "../lanes/portable.h"
#define NAME(kernel) portable_##kernel
#define PAIRS_LEAST  20
#define NONCE        portable_ecdsa_nonce
#define KECCAK       portable_keccak256
#define HASH_LEAST   1 // lanes that are worth a vector
#include "kernel.h"

void portable_secp_prepare(void) {
    signer_make(&secp_signer, secp_generator);
    base_make(&secp_base, secp_generator);
}
