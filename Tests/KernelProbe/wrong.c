// Rows that are wrong on purpose, so that the comparison can be seen to fail.
#include "calls.h"
#include "compare.h"
#include "probe.h"

static const struct kernels *judge(void) { return kernels_row("scalar"); }

static uint8_t *lane_at(struct kernels_lanes lanes, int lane) {
    return lanes.base + lanes.stride * (lanes.slot ? lanes.slot[lane] : (size_t)lane);
}

static void wrong_lane(struct kernels_lanes a, struct kernels_lanes b, struct kernels_lanes out,
                       uint64_t live) {
    judge()->scalar_mul(a, b, out, live);
    if (live >> 5 & 1) lane_at(out, 5)[31] ^= 0x80;
}

// One byte behind the first live lane's result: in a gap, in another slot or in no page.
static void wrong_write(struct kernels_lanes a, struct kernels_lanes b, struct kernels_lanes out,
                        uint64_t live) {
    judge()->scalar_mul(a, b, out, live);
    if (live) lane_at(out, __builtin_ctzll(live))[32] ^= 0xff;
}

// Lanes that are not live.
static void wrong_read(struct kernels_lanes a, struct kernels_lanes b, struct kernels_lanes out,
                       uint64_t live) {
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++)
        (void)*(const volatile uint8_t *)lane_at(a, lane);
    judge()->scalar_mul(a, b, out, live);
}

static uint64_t wrong_mask(struct kernels_lanes a, struct kernels_lanes b, size_t bytes,
                           uint64_t live) {
    // A lane that is not live counts as equal.
    return judge()->equal(a, b, bytes, live) | (~live & (live << 1));
}

// Blocks of 64 bytes, whatever is there.
static void wrong_short(struct kernels_lanes in, size_t bytes, struct kernels_lanes out,
                        uint64_t live) {
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++)
        for (size_t i = bytes; (live >> lane & 1) && i % 64 != 0; i++)
            (void)*(const volatile uint8_t *)(lane_at(in, lane) + i);
    judge()->keccak256(in, bytes, out, live);
}

static uint64_t wrong_point(struct kernels_lanes point, struct kernels_lanes scalar,
                            struct kernels_lanes out, uint64_t live) {
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++) {
        if (!(live >> lane & 1)) continue;
        const uint8_t *y = lane_at(point, lane);
        if (y[0] >= 0xed && y[1] == 0xff && y[30] == 0xff && (y[31] & 0x7f) == 0x7f)
            live &= ~((uint64_t)1 << lane);
    }
    return judge()->edwards_mul(point, scalar, out, live);
}

uint64_t probe_differential_wrong(enum probe_wrong how, uint64_t seed, uint64_t cases,
                                  struct probe_failure *first) {
    struct kernels row = *judge();
    const char *kernel = "scalar_mul";
    switch (how) {
    case PROBE_WRONG_LANE:
        row.scalar_mul = wrong_lane;
        break;
    case PROBE_WRONG_WRITE:
        row.scalar_mul = wrong_write;
        break;
    case PROBE_WRONG_READ:
        row.scalar_mul = wrong_read;
        break;
    case PROBE_WRONG_MASK:
        row.equal = wrong_mask;
        kernel = "equal";
        break;
    case PROBE_WRONG_SHORT:
        row.keccak256 = wrong_short;
        kernel = "keccak256";
        break;
    case PROBE_WRONG_POINT:
        row.edwards_mul = wrong_point;
        kernel = "edwards_mul";
        break;
    }
    return probe_compare(&row, kernel, seed, cases, first);
}
