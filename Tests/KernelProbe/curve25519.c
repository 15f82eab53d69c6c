#include "../../CShims/Kernels/curve25519/field.h"
#include "probe.h"

void probe_curve25519(enum probe_operation operation, const uint64_t *a, const uint64_t *b,
                      uint64_t *limbs, uint8_t *out) {
    struct fe x, y, result = fe_small(0);
    memcpy(x.v, a, sizeof x.v);
    memcpy(y.v, b, sizeof y.v);
    switch (operation) {
    case PROBE_ADD:
        result = fe_add(&x, &y);
        break;
    case PROBE_SUB:
        result = fe_sub(&x, &y);
        break;
    case PROBE_SUB_LOOSE:
        result = fe_sub_loose(&x, &y);
        break;
    case PROBE_MUL:
        result = fe_mul(&x, &y);
        break;
    case PROBE_INVERT:
        result = fe_invert(&x);
        break;
    }
    memcpy(limbs, result.v, sizeof result.v);
    fe_store(out, &result);
}
