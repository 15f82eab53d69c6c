#include "../lanes/portable.h"
#define NAME(kernel) portable_##kernel
#define PAIRS_LEAST  20
#define NONCE        scalar_ecdsa_nonce
#include "kernel.h"

void portable_secp_prepare(void) {
    signer_make(&secp_signer, secp_generator);
    base_make(&secp_base, secp_generator);
}
