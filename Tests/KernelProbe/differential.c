// Two rows do the same work in memory of their own; then every byte of it is compared.
//
// A field ends where a page begins that nobody may touch, and the slots of lanes that are not live
// lead nowhere, so that a kernel that reads too far is caught too.
#define _GNU_SOURCE
#include "calls.h"
#include "compare.h"
#include "inputs.h"
#include "probe.h"
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GAP_MAX  15
#define MARGIN   64 // bytes before a field that are compared too
#define CAPACITY ((size_t)KERNELS_LANES_MAX * (CALL_WIDTH_MAX + GAP_MAX) + MARGIN)

// Who owns a copy of the memory.
enum owner { JUDGE, TRIED, BEFORE, OWNERS };

struct field {
    uint8_t *end[OWNERS];
    size_t compared; // bytes before the end
    size_t used;     // of those, from slot 0 on
    size_t stride;
    int is_slotted;
    uint32_t slot[KERNELS_LANES_MAX];
};

struct trial {
    const struct call *call;
    struct inputs inputs;
    struct field field[CALL_FIELDS];
    int home[CALL_FIELDS]; // the field whose memory it is
    struct call_shape shape;
    uint8_t domain[255], node_scalar[32], node_public[32], signing_key[32];
    uint64_t live;
    struct call_result result[OWNERS];
    const char *complaint;
};

// -- Memory

static size_t mapped_bytes(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (CAPACITY + page - 1) / page * page + page;
}

static int field_map(struct field *field) {
    size_t bytes = mapped_bytes(), page = (size_t)sysconf(_SC_PAGESIZE);
    for (int owner = 0; owner < OWNERS; owner++) {
        uint8_t *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) return 0;
        field->end[owner] = at + bytes - page;
        if (mprotect(field->end[owner], page, PROT_NONE) != 0) return 0;
    }
    return 1;
}

static void trial_free(struct trial *trial) {
    size_t bytes = mapped_bytes(), page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < CALL_FIELDS; i++)
        for (int owner = 0; owner < OWNERS; owner++)
            if (trial->field[i].end[owner])
                munmap(trial->field[i].end[owner] + page - bytes, bytes);
    free(trial);
}

static struct trial *trial_new(const struct call *call, uint64_t seed) {
    struct trial *trial = calloc(1, sizeof *trial);
    if (!trial) return NULL;
    trial->call = call;
    for (int i = 0; i < CALL_FIELDS; i++) {
        if (!field_map(&trial->field[i])) {
            trial_free(trial);
            return NULL;
        }
    }
    inputs_init(&trial->inputs, seed);
    return trial;
}

static struct kernels_lanes lanes_of(const struct trial *trial, int i, enum owner owner) {
    const struct field *field = &trial->field[trial->home[i]];
    return (struct kernels_lanes){
        field->end[owner] - field->used, field->stride, field->is_slotted ? field->slot : NULL};
}

static uint8_t *lane_of(const struct trial *trial, int i, enum owner owner, int lane) {
    struct kernels_lanes lanes = lanes_of(trial, i, owner);
    return lanes.base + lanes.stride * (lanes.slot ? lanes.slot[lane] : (size_t)lane);
}

static int is_used(const struct trial *trial, int i) {
    return trial->call->field[i].kind != CALL_NONE;
}

static int is_written(const struct trial *trial, int i) {
    enum call_kind kind = trial->call->field[i].kind;
    return kind == CALL_OUT || kind == CALL_BOTH;
}

static int is_live(const struct trial *trial, int lane) { return trial->live >> lane & 1; }

// -- A trial's shape

// Lane counts 1 to 16 and 64, from lane 0 or elsewhere; single lanes; any sparse set.
static uint64_t pick_live(struct inputs *inputs, uint64_t cases_left) {
    uint64_t style = inputs_below(inputs, 8), live = inputs_next(inputs);
    uint64_t first = ((uint64_t)2 << inputs_below(inputs, 16)) - 1;
    if (style < 2) live = first;
    if (style == 2) live = first << inputs_below(inputs, 64);
    if (style == 3) live = ~(uint64_t)0;
    if (style == 4) live = (uint64_t)1 << inputs_below(inputs, 64);
    if (style == 5) live &= inputs_next(inputs);
    if (style == 6) live &= inputs_next(inputs) & inputs_next(inputs);
    while ((uint64_t)__builtin_popcountll(live) > cases_left) live &= live - 1;
    return live;
}

// Every live lane gets a slot of its own, in any order; the others lead nowhere.
static void pick_slots(struct trial *trial, struct field *field, uint32_t count) {
    uint32_t order[KERNELS_LANES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = (uint32_t)inputs_below(&trial->inputs, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (int lane = 0, i = 0; lane < KERNELS_LANES_MAX; lane++)
        field->slot[lane] = is_live(trial, lane) ? order[i++] : UINT32_MAX;
}

static void place(struct trial *trial, int i, size_t width) {
    struct field *field = &trial->field[i];
    struct inputs *inputs = &trial->inputs;
    field->is_slotted = (int)inputs_below(inputs, 3) > 0;
    field->stride = width + inputs_below(inputs, GAP_MAX + 1);
    uint32_t count = trial->live ? 64 - (uint32_t)__builtin_clzll(trial->live) : 0;
    if (field->is_slotted) {
        count = (uint32_t)__builtin_popcountll(trial->live);
        if (count + 3 <= KERNELS_LANES_MAX) count += (uint32_t)inputs_below(inputs, 4);
        pick_slots(trial, field, count);
    }
    field->used = count > 0 ? field->stride * (count - 1) + width : 0;
    field->compared = field->used + MARGIN;
    memset(field->end[JUDGE] - field->compared, (int)inputs_below(inputs, 256), field->compared);
}

static void pick_shape(struct trial *trial, uint64_t cases_left) {
    const struct call *call = trial->call;
    struct call_shape *shape = &trial->shape;
    struct inputs *inputs = &trial->inputs;
    trial->live = pick_live(inputs, cases_left);
    for (int i = 0; i < CALL_FIELDS; i++) {
        shape->width[i] = inputs_length(inputs, call->field[i].least, call->field[i].most);
        trial->home[i] = i;
    }
    call_fit(call, shape);
    unsigned shared = call->shares & (unsigned)inputs_below(inputs, 4);
    if (shared) trial->home[call->output] = __builtin_ctz(shared);

    shape->count = inputs_below(inputs, 8) ? inputs_below(inputs, 6) : inputs_below(inputs, 40);
    shape->context = (enum kernels_context)inputs_below(inputs, KERNELS_CONTEXT_COUNT);
    shape->domain = trial->domain;
    shape->domain_bytes = inputs_length(inputs, 0, sizeof trial->domain);
    inputs_random(inputs, trial->domain, shape->domain_bytes);
    shape->node_scalar = trial->node_scalar;
    shape->node_public = trial->node_public;
    inputs_reduced(inputs, trial->node_scalar);
    inputs_bytes(inputs, trial->node_public, 32);
    shape->signing_key = trial->signing_key;
    inputs_secp_scalar(inputs, trial->signing_key);
}

// -- A trial's inputs

// What field 0 holds, or that but for one bit, or all but the last byte.
static void fill_twin(struct trial *trial, uint8_t *at, size_t bytes, int lane) {
    uint64_t style = inputs_below(&trial->inputs, 4);
    memcpy(at, lane_of(trial, 0, JUDGE, lane), bytes);
    if (bytes == 0 || style < 2) return;
    if (style == 2) at[bytes - 1] ^= 0x80;
    uint64_t bit = inputs_below(&trial->inputs, 8 * bytes);
    if (style == 3) at[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static void fill(struct trial *trial, int i, int lane) {
    struct inputs *inputs = &trial->inputs;
    uint8_t *at = lane_of(trial, i, JUDGE, lane);
    size_t bytes = trial->shape.width[i];
    switch (trial->call->field[i].kind) {
    case CALL_NONE:
    case CALL_OUT:
        break;
    case CALL_POINT:
        inputs_point(inputs, at);
        break;
    case CALL_SCALAR:
        inputs_wide(inputs, at);
        at[31] &= 0x7f;
        break;
    case CALL_SECP_POINT:
        inputs_secp_point(inputs, at);
        break;
    case CALL_SECP_SHORT:
        inputs_secp_short(inputs, at);
        break;
    case CALL_SECP_SCALAR:
        inputs_secp_scalar(inputs, at);
        break;
    case CALL_WIDE:
        inputs_wide(inputs, at);
        break;
    case CALL_BYTES:
    case CALL_BOTH:
        inputs_bytes(inputs, at, bytes);
        break;
    case CALL_TWIN:
        fill_twin(trial, at, bytes, lane);
        break;
    }
}

static void trial_prepare(struct trial *trial, uint64_t cases_left) {
    pick_shape(trial, cases_left);
    for (int i = 0; i < CALL_FIELDS; i++) {
        size_t width = trial->shape.width[i];
        // Memory of two fields has room for the longer one.
        for (int k = 0; k < CALL_FIELDS; k++)
            if (trial->home[k] == i && trial->shape.width[k] > width) width = trial->shape.width[k];
        if (is_used(trial, i)) place(trial, i, width);
    }
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++)
        for (int i = 0; i < CALL_FIELDS && is_live(trial, lane); i++) fill(trial, i, lane);
    for (int i = 0; i < CALL_FIELDS; i++) {
        size_t bytes = trial->field[i].compared;
        const uint8_t *from = trial->field[i].end[JUDGE] - bytes;
        if (!is_used(trial, i)) continue;
        memcpy(trial->field[i].end[TRIED] - bytes, from, bytes);
        memcpy(trial->field[i].end[BEFORE] - bytes, from, bytes);
    }
}

// -- Running

static _Thread_local sigjmp_buf way_out;
static _Thread_local volatile sig_atomic_t is_inside;

// A kernel that leaves its memory is a finding; anything else is none of ours.
static void on_fault(int number) {
    if (is_inside) siglongjmp(way_out, 1);
    signal(number, SIG_DFL);
}

// Faults are caught from here on, in every thread.
static void catch_faults(void) {
    struct sigaction action = {.sa_handler = on_fault};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

// Returns 0 if the kernel touched what it must not.
static int run(struct trial *trial, const struct kernels *row, enum owner owner) {
    struct kernels_lanes lanes[CALL_FIELDS];
    for (int i = 0; i < CALL_FIELDS; i++) lanes[i] = lanes_of(trial, i, owner);
    if (sigsetjmp(way_out, 1) != 0) {
        is_inside = 0;
        return 0;
    }
    is_inside = 1;
    trial->result[owner] = trial->call->run(row, lanes, &trial->shape, trial->live);
    is_inside = 0;
    return 1;
}

// -- Comparing

static uint64_t bits_that_differ(const struct trial *trial) {
    const struct call_result *judge = &trial->result[JUDGE], *tried = &trial->result[TRIED];
    return (judge->valid ^ tried->valid) | (judge->neutral ^ tried->neutral);
}

static int is_all_equal(const struct trial *trial) {
    for (int i = 0; i < CALL_FIELDS; i++) {
        const struct field *field = &trial->field[i];
        if (is_used(trial, i) && memcmp(field->end[JUDGE] - field->compared,
                                        field->end[TRIED] - field->compared,
                                        field->compared) != 0)
            return 0;
    }
    return 1;
}

static int lane_differs(const struct trial *trial, int lane) {
    for (int i = 0; i < CALL_FIELDS; i++)
        if (is_written(trial, i) && memcmp(lane_of(trial, i, JUDGE, lane),
                                           lane_of(trial, i, TRIED, lane),
                                           trial->shape.width[i]) != 0)
            return 1;
    return 0;
}

// The lanes whose results differ; *elsewhere says whether other memory does.
static uint64_t lanes_that_differ(struct trial *trial, int *elsewhere) {
    uint64_t differ = bits_that_differ(trial);
    *elsewhere = (differ & ~trial->live) != 0;
    if (is_all_equal(trial)) return differ & trial->live;
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++)
        if (is_live(trial, lane) && lane_differs(trial, lane)) differ |= (uint64_t)1 << lane;
    // Once the results are made equal, what differs is none.
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++)
        for (int i = 0; i < CALL_FIELDS && is_live(trial, lane); i++)
            if (is_written(trial, i))
                memcpy(lane_of(trial, i, TRIED, lane),
                       lane_of(trial, i, JUDGE, lane),
                       trial->shape.width[i]);
    *elsewhere |= !is_all_equal(trial);
    return differ & trial->live;
}

// Lanes where libsodium takes the point and has another product; tried on a few.
static uint64_t lanes_against_sodium(const struct trial *trial) {
    uint64_t differ = 0;
    if (trial->call != call_named("edwards_mul") || trial->inputs.state % 8 != 0) return 0;
    for (int lane = 0; lane < KERNELS_LANES_MAX; lane++) {
        uint8_t product[32];
        if (!is_live(trial, lane)) continue;
        if (crypto_scalarmult_ed25519_noclamp(
                product, lane_of(trial, 1, BEFORE, lane), lane_of(trial, 0, BEFORE, lane)) != 0)
            continue;
        if (memcmp(product, lane_of(trial, 2, JUDGE, lane), 32) != 0 ||
            !(trial->result[JUDGE].valid >> lane & 1))
            differ |= (uint64_t)1 << lane;
    }
    return differ;
}

// -- Reporting

static void print_hex(FILE *out, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) fprintf(out, "%02x", bytes[i]);
    fputc('\n', out);
}

static void print_lane(const struct trial *trial, int lane, FILE *out) {
    static const char *const what[OWNERS] = {"scalar", "tried", "before"};
    for (int i = 0; i < CALL_FIELDS; i++) {
        if (!is_used(trial, i)) continue;
        fprintf(out,
                "field %d (%zu bytes, stride %zu, memory of field %d):\n",
                i,
                trial->shape.width[i],
                trial->field[trial->home[i]].stride,
                trial->home[i]);
        for (int owner = OWNERS - 1; owner >= 0; owner--) {
            if (owner == BEFORE || is_written(trial, i)) {
                fprintf(out, "  %-6s ", what[owner]);
                print_hex(out, lane_of(trial, i, (enum owner)owner, lane), trial->shape.width[i]);
            }
        }
    }
}

static void report(const struct trial *trial, const char *what, uint64_t lanes,
                   struct probe_failure *first) {
    if (!first || first->text) return;
    size_t bytes;
    FILE *out = open_memstream(&first->text, &bytes);
    if (!out) return;
    const struct call_shape *shape = &trial->shape;
    const struct call_result *judge = &trial->result[JUDGE], *tried = &trial->result[TRIED];
    fprintf(out, "%s: %s\n", trial->call->name, what);
    fprintf(out, "live    %016llx\n", (unsigned long long)trial->live);
    fprintf(out, "lanes   %016llx\n", (unsigned long long)lanes);
    fprintf(out,
            "valid   %016llx, scalar %016llx\nneutral %016llx, scalar %016llx\n",
            (unsigned long long)tried->valid,
            (unsigned long long)judge->valid,
            (unsigned long long)tried->neutral,
            (unsigned long long)judge->neutral);
    fprintf(out, "context %d, count %zu\ndomain  ", (int)shape->context, shape->count);
    print_hex(out, shape->domain, shape->domain_bytes);
    fprintf(out, "node scalar ");
    print_hex(out, shape->node_scalar, 32);
    fprintf(out, "node public ");
    print_hex(out, shape->node_public, 32);
    fprintf(out, "signing key ");
    print_hex(out, shape->signing_key, 32);
    uint64_t shown = lanes ? lanes : trial->live;
    first->live = trial->live;
    first->lane = shown ? __builtin_ctzll(shown) : 0;
    fprintf(out, "lane %d\n", first->lane);
    if (shown) print_lane(trial, first->lane, out);
    fclose(out);
}

// Returns the mismatches; lane by lane, and one for everything else.
static uint64_t trial_judge(struct trial *trial, const struct kernels *row,
                            struct probe_failure *first) {
    if (!run(trial, kernels_row("scalar"), JUDGE)) {
        report(trial, "the scalar row touches memory outside its lanes", 0, first);
        return 1;
    }
    if (!run(trial, row, TRIED)) {
        report(trial, "memory outside the lanes is touched", 0, first);
        return 1;
    }
    uint64_t mismatches = 0, lanes = lanes_against_sodium(trial);
    if (lanes) report(trial, "libsodium differs from the scalar row", lanes, first);
    mismatches += (uint64_t)__builtin_popcountll(lanes);

    // Reported before the memory is made equal.
    if (bits_that_differ(trial) || !is_all_equal(trial)) {
        lanes = bits_that_differ(trial) & trial->live;
        for (int lane = 0; lane < KERNELS_LANES_MAX; lane++)
            if (is_live(trial, lane) && lane_differs(trial, lane)) lanes |= (uint64_t)1 << lane;
        report(trial, lanes ? "results differ" : "other memory differs", lanes, first);
    }
    int elsewhere;
    lanes = lanes_that_differ(trial, &elsewhere);
    return mismatches + (uint64_t)__builtin_popcountll(lanes) + (uint64_t)elsewhere;
}

static int is_point(enum call_kind kind) {
    return kind == CALL_POINT || kind == CALL_SECP_POINT || kind == CALL_SECP_SHORT;
}

int probe_table_size(void) {
    return (int)((sizeof(struct kernels) - offsetof(struct kernels, alpha_step)) / sizeof(void *));
}

const char *probe_kernel(int index) {
    int count = 0;
    while (calls[count].name) count++;
    return index < count ? calls[index].name : NULL;
}

int probe_cost(const char *kernel) { return call_named(kernel)->cost; }

int probe_runs(const char *row) { return kernels_row(row) != NULL; }

uint64_t probe_compare(const struct kernels *row, const char *kernel, uint64_t seed, uint64_t cases,
                       struct probe_failure *first) {
    const struct call *call = call_named(kernel);
    struct trial *trial = row && call ? trial_new(call, seed) : NULL;
    if (!trial) return UINT64_MAX;
    if (first) *first = (struct probe_failure){0};
    catch_faults();
    uint64_t mismatches = 0;
    for (uint64_t done = 0; done < cases;) {
        if (is_point(call->field[0].kind)) inputs_turn(&trial->inputs);
        trial_prepare(trial, cases - done);
        mismatches += trial_judge(trial, row, first);
        done += (uint64_t)__builtin_popcountll(trial->live);
    }
    trial_free(trial);
    return mismatches;
}

uint64_t probe_differential(const char *row, const char *kernel, uint64_t seed, uint64_t cases,
                            struct probe_failure *first) {
    return probe_compare(kernels_row(row), kernel, seed, cases, first);
}
