// The scalar row of points, scalars and signatures is libsecp256k1, one lane after the other.
#include "../../Secp256k1/shim.h"
#include "../common.h"
#include "../rows.h"

// The library's tables are constants; a context holds only what blinds multiplications of G. This
// one is made once, before main, and never changed, so that every thread may use it.
static _Alignas(64) unsigned char context_memory[256];
static secp256k1_context *context;

__attribute__((constructor)) static void context_make(void) {
    if (secp_context_size() <= sizeof context_memory) context = secp_context_place(context_memory);
}

static uint64_t bit_of(int lane, int set) { return (uint64_t)(set != 0) << lane; }

uint64_t scalar_secp_mul_base(struct kernels_lanes scalar, struct kernels_lanes out,
                              uint64_t live) {
    uint64_t made = 0;
    FOR_LANES(lane, live) {
        secp256k1_pubkey point;
        int is_scalar = secp256k1_ec_pubkey_create(context, &point, lane_at(scalar, lane));
        DECLASSIFY(&is_scalar, sizeof is_scalar);
        if (is_scalar) made |= bit_of(lane, secp_affine(context, lane_at(out, lane), &point));
        wipe(&point, sizeof point);
    }
    wipe_stack();
    return made;
}

struct kernels_sum scalar_secp_mul_base_add(struct kernels_lanes scalar, struct kernels_lanes point,
                                            struct kernels_lanes out, uint64_t live) {
    struct kernels_sum result = {0, 0};
    FOR_LANES(lane, live) {
        secp256k1_pubkey own, other, sum;
        if (!secp_parse_compressed(context, &other, lane_at(point, lane))) continue;
        result.points |= bit_of(lane, 1);
        int is_sum = secp256k1_ec_pubkey_create(context, &own, lane_at(scalar, lane));
        DECLASSIFY(&is_sum, sizeof is_sum);
        is_sum = is_sum && secp_add(context, &sum, &own, &other);
        if (is_sum) result.sums |= bit_of(lane, secp_affine(context, lane_at(out, lane), &sum));
        wipe(&own, sizeof own);
        wipe(&sum, sizeof sum);
    }
    wipe_stack();
    return result;
}

uint64_t scalar_secp_mul(struct kernels_lanes point, struct kernels_lanes scalar,
                         struct kernels_lanes out, uint64_t live) {
    uint64_t made = 0;
    FOR_LANES(lane, live) {
        secp256k1_pubkey a;
        uint8_t product[64];
        if (!secp_parse_affine(context, &a, lane_at(point, lane))) continue;
        int is_scalar = secp_multiply(context, product, &a, lane_at(scalar, lane));
        DECLASSIFY(&is_scalar, sizeof is_scalar);
        if (is_scalar) memcpy(lane_at(out, lane), product, sizeof product);
        made |= bit_of(lane, is_scalar);
        wipe(product, sizeof product);
    }
    wipe_stack();
    return made;
}

uint64_t scalar_secp_add_scalars(struct kernels_lanes a, struct kernels_lanes b,
                                 struct kernels_lanes out, uint64_t live) {
    uint64_t made = 0;
    FOR_LANES(lane, live) {
        uint8_t sum[32];
        memcpy(sum, lane_at(a, lane), sizeof sum);
        int is_sum = secp256k1_ec_seckey_verify(context, lane_at(b, lane)) &
                     secp256k1_ec_seckey_tweak_add(context, sum, lane_at(b, lane));
        DECLASSIFY(&is_sum, sizeof is_sum);
        if (is_sum) memcpy(lane_at(out, lane), sum, sizeof sum);
        made |= bit_of(lane, is_sum);
        wipe(sum, sizeof sum);
    }
    wipe_stack();
    return made;
}

void scalar_ecdsa_nonce(const uint8_t *key, struct kernels_lanes hash, struct kernels_lanes out,
                        uint64_t live) {
    // The library's function gives candidate number `counter`; one that is no scalar is skipped.
    FOR_LANES(lane, live) {
        uint8_t nonce[32];
        int is_scalar = 0;
        for (unsigned counter = 0; !is_scalar; counter++) {
            (void)secp256k1_nonce_function_rfc6979(
                nonce, lane_at(hash, lane), key, NULL, NULL, counter);
            is_scalar = secp256k1_ec_seckey_verify(context, nonce);
            DECLASSIFY(&is_scalar, sizeof is_scalar);
        }
        memcpy(lane_at(out, lane), nonce, sizeof nonce);
        wipe(nonce, sizeof nonce);
    }
    wipe_stack();
}

uint64_t scalar_ecdsa_sign(const uint8_t *key, struct kernels_lanes hash, struct kernels_lanes seed,
                           struct kernels_lanes signature, uint64_t live) {
    uint64_t made = 0;
    FOR_LANES(lane, live) {
        uint8_t out[64];
        int is_signed = secp_sign(context, out, lane_at(hash, lane), lane_at(seed, lane), key);
        DECLASSIFY(&is_signed, sizeof is_signed);
        if (is_signed) memcpy(lane_at(signature, lane), out, sizeof out);
        made |= bit_of(lane, is_signed);
    }
    wipe_stack();
    return made;
}

// This row's table is the point.
uint64_t scalar_ecdsa_table(struct kernels_lanes point, struct kernels_lanes table, uint64_t live) {
    uint64_t made = 0;
    FOR_LANES(lane, live) {
        secp256k1_pubkey parsed;
        if (!secp_parse_affine(context, &parsed, lane_at(point, lane))) continue;
        memcpy(lane_at(table, lane), &parsed, sizeof parsed);
        made |= bit_of(lane, 1);
    }
    return made;
}

uint64_t scalar_ecdsa_verify(struct kernels_lanes table, struct kernels_lanes hash,
                             struct kernels_lanes signature, uint64_t live) {
    uint64_t good = 0;
    FOR_LANES(lane, live) {
        secp256k1_pubkey signer, known;
        memcpy(&known, lane_at(table, lane), sizeof known);
        if (!secp_recover(context, &signer, lane_at(signature, lane), lane_at(hash, lane)))
            continue;
        good |= bit_of(lane, secp256k1_ec_pubkey_cmp(context, &signer, &known) == 0);
    }
    return good;
}
