// Every kernel of the table as a call with up to four fields, so that one program can try them all.
#pragma once
#include "kernels.h"

#define CALL_FIELDS    4
#define CALL_WIDTH_MAX 3328

// What lies in a field, and so which values are worth trying.
enum call_kind {
    CALL_NONE,
    CALL_POINT,       // a compressed point of Ed25519's curve, or no point; public
    CALL_SCALAR,      // below 2^255
    CALL_SECP_POINT,  // x || y, on secp256k1 or not; public
    CALL_SECP_SHORT,  // 33 bytes, a point of secp256k1 or not; public
    CALL_SECP_SCALAR, // 32 bytes big-endian, below n or not
    CALL_WIDE,        // any 256 bits
    CALL_BYTES,
    CALL_TWIN, // often what field 0 holds, or almost
    CALL_OUT,
    CALL_BOTH, // bytes that are changed in place
};

struct call_field {
    enum call_kind kind;
    size_t least, most; // bytes
};

// One call's parameters but for the memory.
struct call_shape {
    size_t width[CALL_FIELDS]; // these are also the lengths that the kernel is told
    size_t count;
    enum kernels_context context;
    const uint8_t *domain;
    size_t domain_bytes;
    const uint8_t *node_scalar, *node_public;
    const uint8_t *signing_key; // of ECDSA
};

struct call_result {
    uint64_t valid, neutral;
};

struct call {
    const char *name;
    struct call_field field[CALL_FIELDS];
    // The output that may share the memory of an input, and which inputs (bit i is field i).
    int output;
    unsigned shares;
    // Outputs that are sent in the clear (bit i is field i).
    unsigned clear;
    // 1 if a case costs a multiplication of a point or as much, 2 if it costs many.
    int cost;
    // True if nothing that goes in is a secret, and time may depend on it.
    int is_public;
    struct call_result (*run)(const struct kernels *row, const struct kernels_lanes *lanes,
                              const struct call_shape *shape, uint64_t live);
};

// In the table's order; the last one has no name.
extern const struct call calls[];
// NULL if there is none.
const struct call *call_named(const char *name);
// Brings lengths that depend on each other within the contract.
void call_fit(const struct call *call, struct call_shape *shape);
