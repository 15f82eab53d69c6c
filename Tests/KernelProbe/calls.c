#include "calls.h"
#include "edwards_signatures.h"
#include "signatures.h"
#include <string.h>

#define CALL(kernel)                                                                               \
    static struct call_result run_##kernel(const struct kernels *row,                              \
                                           const struct kernels_lanes *f,                          \
                                           const struct call_shape *s,                             \
                                           uint64_t live)

CALL(alpha_step) {
    struct kernels_alpha outcome =
        row->alpha_step(f[0], s->node_scalar, s->node_public, f[1], f[2], live);
    return (struct call_result){outcome.valid, outcome.neutral};
}
CALL(edwards_mul) {
    (void)s;
    return (struct call_result){row->edwards_mul(f[0], f[1], f[2], live), 0};
}

// Only the row that made a table can read it, so a table is made and used in one call.
static _Thread_local uint8_t tables[KERNELS_LANES_MAX][KERNELS_TABLE_BYTES];

static struct call_result multiply_by_table(const struct kernels *row, struct kernels_lanes point,
                                            struct kernels_lanes scalar, struct kernels_lanes out,
                                            uint64_t live) {
    const struct kernels_lanes table = {tables[0], sizeof tables[0], NULL};
    uint64_t valid = row->edwards_table(point, table, live);
    row->edwards_mul_table(table, scalar, out, valid);
    return (struct call_result){valid, 0};
}
CALL(edwards_table) {
    uint8_t scalar[32];
    memcpy(scalar, s->node_scalar, sizeof scalar);
    return multiply_by_table(row, f[0], (struct kernels_lanes){scalar, 0, NULL}, f[1], live);
}
CALL(edwards_mul_table) {
    (void)s;
    return multiply_by_table(row, f[0], f[1], f[2], live);
}
CALL(edwards_mul_base) {
    (void)s;
    row->edwards_mul_base(f[0], f[1], live);
    return (struct call_result){live, 0};
}
CALL(scalar_clamp_reduce) {
    (void)s;
    row->scalar_clamp_reduce(f[0], f[1], live);
    return (struct call_result){live, 0};
}
CALL(scalar_mul) {
    (void)s;
    row->scalar_mul(f[0], f[1], f[2], live);
    return (struct call_result){live, 0};
}
CALL(derive) {
    row->derive(s->context, f[0], s->width[0], f[1], s->width[1], f[2], s->width[2], live);
    return (struct call_result){live, 0};
}
CALL(blake3) {
    row->blake3(f[0], s->width[0], f[1], live);
    return (struct call_result){live, 0};
}
CALL(blake3_keyed) {
    row->blake3_keyed(f[0], f[1], s->width[1], f[2], live);
    return (struct call_result){live, 0};
}
CALL(header_stream) {
    row->header_stream(f[0], f[1], s->width[1], f[2], s->width[2], live);
    return (struct call_result){live, 0};
}
CALL(header_mac) {
    row->header_mac(f[0], f[1], s->width[1], f[2], live);
    return (struct call_result){live, 0};
}
CALL(equal) { return (struct call_result){row->equal(f[0], f[1], s->width[0], live), 0}; }
CALL(lioness_forward) {
    row->lioness_forward(f[0], f[1], s->width[1], live);
    return (struct call_result){live, 0};
}
CALL(lioness_inverse) {
    row->lioness_inverse(f[0], f[1], s->width[1], live);
    return (struct call_result){live, 0};
}
CALL(keccak256) {
    row->keccak256(f[0], s->width[0], f[1], live);
    return (struct call_result){live, 0};
}
CALL(keccak_iterate) {
    row->keccak_iterate(f[0], s->count, live);
    return (struct call_result){live, 0};
}
CALL(half_keys) {
    (void)s;
    row->half_keys(f[0], f[1], f[2], live);
    return (struct call_result){live, 0};
}
CALL(hash_to_curve) {
    row->hash_to_curve(f[0], s->width[0], s->domain, s->domain_bytes, f[1], live);
    return (struct call_result){live, 0};
}

CALL(secp_mul_base) {
    (void)s;
    return (struct call_result){row->secp_mul_base(f[0], f[1], live), 0};
}
CALL(secp_mul_base_add) {
    (void)s;
    struct kernels_sum sum = row->secp_mul_base_add(f[1], f[0], f[2], live);
    return (struct call_result){sum.sums, sum.points};
}
CALL(secp_mul) {
    (void)s;
    return (struct call_result){row->secp_mul(f[0], f[1], f[2], live), 0};
}
CALL(secp_add_scalars) {
    (void)s;
    return (struct call_result){row->secp_add_scalars(f[0], f[1], f[2], live), 0};
}
CALL(ecdsa_nonce) {
    row->ecdsa_nonce(s->signing_key, f[0], f[1], live);
    return (struct call_result){live, 0};
}
CALL(ecdsa_sign) {
    return (struct call_result){row->ecdsa_sign(s->signing_key, f[0], f[1], f[2], live), 0};
}
CALL(ecdsa_table) {
    (void)s;
    return (struct call_result){signatures_table(row, f[0], live), 0};
}
CALL(ecdsa_verify) {
    (void)s;
    return (struct call_result){signatures_verify(row, f[0], f[1], live), 0};
}
CALL(ed25519_sign) {
    uint8_t key[64];
    memcpy(key, s->node_scalar, 32);
    memcpy(key + 32, s->node_public, 32);
    row->ed25519_sign(key, f[0], s->width[0], f[1], live);
    return (struct call_result){live, 0};
}
CALL(ed25519_table) {
    (void)s;
    struct edwards_verdict verdict = edwards_signatures_table(row, f[0], live);
    return (struct call_result){verdict.made, verdict.good};
}
CALL(ed25519_verify) {
    uint64_t good = edwards_signatures_verify(row, f[0], s->width[0], f[1], live);
    return (struct call_result){good, 0};
}
CALL(sha256) {
    row->sha256(f[0], s->width[0], f[1], live);
    return (struct call_result){live, 0};
}
CALL(sha512) {
    row->sha512(f[0], s->width[0], f[1], live);
    return (struct call_result){live, 0};
}

// clang-format off
#define SECP_POINT     {CALL_SECP_POINT, 64, 64}
#define SECP_SHORT     {CALL_SECP_SHORT, 33, 33}
#define SECP_SCALAR    {CALL_SECP_SCALAR, 32, 32}
#define POINT          {CALL_POINT, 32, 32}
#define SCALAR         {CALL_SCALAR, 32, 32}
#define WIDE           {CALL_WIDE, 32, 32}
#define BYTES(a, b)    {CALL_BYTES, a, b}
#define OUT(a, b)      {CALL_OUT, a, b}
#define BOTH(a, b)     {CALL_BOTH, a, b}
#define KERNEL(name)   #name, .run = run_##name

const struct call calls[] = {
    {KERNEL(alpha_step), .field = {POINT, OUT(32, 32), OUT(32, 32)}, .output = 2, .shares = 1,
     .clear = 4, .cost = 1},
    {KERNEL(edwards_mul), .field = {POINT, SCALAR, OUT(32, 32)}, .output = 2, .shares = 1,
     .cost = 1},
    {KERNEL(edwards_table), .field = {POINT, OUT(32, 32)}, .cost = 1},
    {KERNEL(edwards_mul_table), .field = {POINT, SCALAR, OUT(32, 32)}, .output = 2, .shares = 1,
     .cost = 1},
    {KERNEL(edwards_mul_base), .field = {SCALAR, OUT(32, 32)}, .cost = 1},
    {KERNEL(scalar_clamp_reduce), .field = {WIDE, OUT(32, 32)}, .output = 1, .shares = 1},
    {KERNEL(scalar_mul), .field = {WIDE, WIDE, OUT(32, 32)}, .output = 2, .shares = 3},
    {KERNEL(derive), .field = {BYTES(0, 256), BYTES(0, 256), OUT(1, 320)}},
    {KERNEL(blake3), .field = {BYTES(0, 3300), OUT(32, 32)}},
    {KERNEL(blake3_keyed), .field = {BYTES(32, 32), BYTES(0, 3300), OUT(32, 32)}},
    {KERNEL(header_stream), .field = {BYTES(44, 44), BYTES(0, 1536), OUT(0, 1536)}, .output = 2,
     .shares = 2},
    {KERNEL(header_mac), .field = {BYTES(32, 32), BYTES(0, 1536), OUT(16, 16)}},
    {KERNEL(equal), .field = {BYTES(0, 300), {CALL_TWIN, 0, 300}}},
    {KERNEL(lioness_forward), .field = {BYTES(152, 152), BOTH(33, 3300)}},
    {KERNEL(lioness_inverse), .field = {BYTES(152, 152), BOTH(33, 3300)}},
    {KERNEL(keccak256), .field = {BYTES(0, 600), OUT(32, 32)}, .output = 1, .shares = 1},
    {KERNEL(keccak_iterate), .field = {BOTH(32, 32)}},
    {KERNEL(half_keys), .field = {BYTES(32, 32), OUT(32, 32), OUT(32, 32)}},
    {KERNEL(hash_to_curve), .field = {BYTES(0, 300), OUT(64, 64)}, .cost = 1},
    {KERNEL(secp_mul_base), .field = {SECP_SCALAR, OUT(64, 64)}, .cost = 1},
    {KERNEL(secp_mul_base_add), .field = {SECP_SHORT, SECP_SCALAR, OUT(64, 64)}, .cost = 1},
    {KERNEL(secp_mul), .field = {SECP_POINT, SECP_SCALAR, OUT(64, 64)}, .cost = 1},
    {KERNEL(secp_add_scalars), .field = {SECP_SCALAR, SECP_SCALAR, OUT(32, 32)}, .output = 2,
     .shares = 3},
    {KERNEL(ecdsa_nonce), .field = {BYTES(32, 32), OUT(32, 32)}},
    {KERNEL(ecdsa_sign), .field = {BYTES(32, 32), {CALL_TWIN, 32, 32}, OUT(64, 64)}, .clear = 4,
     .cost = 1},
    {KERNEL(ecdsa_table), .field = {SECP_POINT}, .cost = 2, .is_public = 1},
    {KERNEL(ecdsa_verify), .field = {BOTH(32, 32), BOTH(64, 64)}, .cost = 1, .is_public = 1},
    {KERNEL(ed25519_sign), .field = {BYTES(0, 64), OUT(64, 64)}, .clear = 2, .cost = 1},
    {KERNEL(ed25519_table), .field = {POINT}, .cost = 2, .is_public = 1},
    {KERNEL(ed25519_verify), .field = {BOTH(0, 64), BOTH(64, 64)}, .cost = 1, .is_public = 1},
    {KERNEL(sha256), .field = {BYTES(0, 600), OUT(32, 32)}, .output = 1, .shares = 1},
    {KERNEL(sha512), .field = {BYTES(0, 600), OUT(64, 64)}, .output = 1, .shares = 1},
    {.name = NULL},
};
// clang-format on

const struct call *call_named(const char *name) {
    for (const struct call *call = calls; call->name; call++)
        if (strcmp(call->name, name) == 0) return call;
    return NULL;
}

void call_fit(const struct call *call, struct call_shape *shape) {
    size_t *width = shape->width;
    if (call->run == run_derive && width[0] + width[1] > KERNELS_MATERIAL_MAX)
        width[1] = KERNELS_MATERIAL_MAX - width[0];
    if (call->run == run_header_stream && width[1] > width[2]) {
        size_t longer = width[1];
        width[1] = width[2];
        width[2] = longer;
    }
    if (call->run == run_header_mac && width[1] > 512) width[1] -= width[1] % 16;
    if (call->run == run_equal) width[1] = width[0];
}
