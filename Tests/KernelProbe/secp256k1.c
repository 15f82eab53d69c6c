#include "../../CShims/Kernels/secp256k1/field.h"
#include "probe.h"

void probe_secp256k1(enum probe_operation operation, const uint64_t *a, const uint64_t *b,
                     uint8_t *out) {
    struct fp x, y, result = {{0}};
    memcpy(x.v, a, sizeof x.v);
    memcpy(y.v, b, sizeof y.v);
    switch (operation) {
    case PROBE_ADD:
        result = fp_add(&x, &y);
        break;
    case PROBE_SUB:
    case PROBE_SUB_LOOSE:
        result = fp_sub(&x, &y);
        break;
    case PROBE_MUL:
        result = fp_mul(&x, &y);
        break;
    case PROBE_INVERT:
        result = fp_invert(&x);
        break;
    }
    fp_store(out, &result);
}

void probe_secp256k1_load48(const uint8_t *in, uint8_t *out) {
    struct fp result = fp_load48(in);
    fp_store(out, &result);
}
