// taint ROW...            calls every kernel of the rows with secret inputs
// taint leak NAME         calls a function that leaks: the checker must say so
//
// The checker is MemorySanitizer or memcheck; a branch or an address that depends on a secret is an
// error, and the exit status says so.
#include "../KernelProbe/calls.h"
#include "../KernelProbe/inputs.h"
#include "secret.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct inputs inputs;
static uint8_t memory[CALL_FIELDS][KERNELS_LANES_MAX * CALL_WIDTH_MAX];

// Lane counts around a vector's and a sparse set.
static const uint64_t lives[] = {
    1, 7, 0xff, 0x1ff, 0xffff, 0x1ffff, 0x8000000000000001, 0x5100a00100080404};

// Lanes whose points have a large order: multiples of the others can be the same for every scalar.
static int is_ordinary(int lane) { return lane % 2 == 0; }

static int is_point(enum call_kind kind) {
    return kind == CALL_POINT || kind == CALL_SECP_POINT || kind == CALL_SECP_SHORT;
}

// The public points, and everything else as a secret.
static void prepare(const struct call *call, const struct call_shape *shape) {
    for (int i = 0; i < CALL_FIELDS; i++) {
        size_t width = shape->width[i];
        enum call_kind kind = call->field[i].kind;
        taint_declassify(memory[i], sizeof memory[i]);
        if (kind == CALL_NONE) continue;
        for (int lane = 0; lane < KERNELS_LANES_MAX; lane++) {
            uint8_t *at = memory[i] + width * (size_t)lane;
            inputs_random(&inputs, at, width);
            if (kind == CALL_POINT && is_ordinary(lane))
                memcpy(at, inputs.point[lane], 32);
            else if (kind == CALL_POINT)
                inputs_point(&inputs, at);
            if (kind == CALL_SECP_POINT) memcpy(at, inputs.secp[lane], 64);
            if (kind == CALL_SECP_SHORT) at[0] = 2, memcpy(at + 1, inputs.secp[lane], 32);
            if (kind == CALL_SCALAR) at[31] &= 0x7f;
        }
        if (!is_point(kind) && kind != CALL_OUT) secret(memory[i], width * KERNELS_LANES_MAX);
    }
}

// True if all that the kernel writes is sent in the clear, as signatures are: no mark is asked for.
static int is_shown(const struct call *call) {
    for (int i = 0; i < CALL_FIELDS; i++) {
        enum call_kind kind = call->field[i].kind;
        if ((kind == CALL_OUT || kind == CALL_BOTH) && !(call->clear >> i & 1)) return 0;
    }
    return call->clear != 0;
}

// True if what the kernel made of its secrets still counts as secret: else a mark was lost on the
// way, and the absence of reports says nothing.
static int is_followed(const struct call *call, const struct call_shape *shape,
                       const struct call_result *result, uint64_t live) {
    int outputs = 0;
    for (int i = 0; i < CALL_FIELDS; i++) {
        enum call_kind kind = call->field[i].kind;
        if (kind != CALL_OUT && kind != CALL_BOTH) continue;
        outputs++;
        // A signature is all that signing makes, and is for everybody.
        if (call->clear >> i & 1) continue;
        for (int lane = 0; lane < KERNELS_LANES_MAX; lane++) {
            const uint8_t *at = memory[i] + shape->width[i] * (size_t)lane;
            int is_made = (live & result->valid) >> lane & 1;
            if (call->field[0].kind == CALL_POINT && !is_ordinary(lane)) continue;
            if (is_made && !is_secret(at, shape->width[i])) return 0;
        }
    }
    return outputs > 0 || is_shown(call);
}

static int is_one_of(const char *const *names, const char *name) {
    for (; *names; names++)
        if (strcmp(*names, name) == 0) return 1;
    return 0;
}

// Where MemorySanitizer must lose the marks; memcheck keeps them. README.md says why.
static int is_unfollowed(const struct call *call, const struct kernels *row, uint64_t live) {
    static const char *const library[] = {"edwards_mul_base",
                                          "header_stream",
                                          "header_mac",
                                          "secp_mul_base",
                                          "secp_mul_base_add",
                                          "secp_mul",
                                          "secp_add_scalars",
                                          "sha256",
                                          "sha512",
                                          NULL};
    static const char *const borrow[] = {
        "alpha_step", "edwards_mul", "edwards_table", "edwards_mul_table", NULL};
    if (secret_sees_everything()) return 0;
    // The scalar row's function, in whatever row it serves: calls have the order of the table.
    size_t at = 1 + (size_t)(call - calls);
    void (*here)(void), (*scalar)(void);
    memcpy(&here, (const char *)row + at * sizeof here, sizeof here);
    memcpy(&scalar, (const char *)kernels_row("scalar") + at * sizeof here, sizeof here);
    if (here == scalar) return is_one_of(borrow, call->name) || is_one_of(library, call->name);
    // A vector row leaves lanes that fill no vector to the scalar row.
    int is_vector = strcmp(row->name, "portable") != 0;
    return is_vector && live != 0xffff && is_one_of(library, call->name);
}

// Returns 0 if a secret lost its mark.
static int call_once(const struct call *call, const struct kernels *row, int length,
                     uint64_t live) {
    static uint8_t domain[40], node_scalar[32], node_public[32], signing_key[32];
    struct kernels_lanes lanes[CALL_FIELDS];
    struct call_shape shape = {.count = 3,
                               .context = KERNELS_PRP,
                               .domain = domain,
                               .domain_bytes = sizeof domain,
                               .node_scalar = node_scalar,
                               .node_public = node_public,
                               .signing_key = signing_key};
    for (int i = 0; i < CALL_FIELDS; i++) {
        // Short, and more than a block, and for those that take it more than a chunk.
        static const size_t wish[3] = {40, 300, 1100};
        const struct call_field *field = &call->field[i];
        size_t width = wish[length] + (size_t)i;
        shape.width[i] = width > field->most ? field->most : width;
        if (shape.width[i] < field->least) shape.width[i] = field->least;
    }
    call_fit(call, &shape);
    for (int i = 0; i < CALL_FIELDS; i++)
        lanes[i] = (struct kernels_lanes){memory[i], shape.width[i], NULL};
    prepare(call, &shape);
    inputs_reduced(&inputs, node_scalar);
    inputs_random(&inputs, signing_key, sizeof signing_key);
    secret(node_scalar, sizeof node_scalar);
    secret(signing_key, sizeof signing_key);

    struct call_result result = call->run(row, lanes, &shape, live);
    int is_mask_secret = is_secret(&result.valid, sizeof result.valid);
    taint_declassify(&result, sizeof result);
    int followed = is_followed(call, &shape, &result, live) || is_mask_secret;
    taint_declassify(node_scalar, sizeof node_scalar);
    taint_declassify(signing_key, sizeof signing_key);
    return followed && (result.valid & ~live) == 0;
}

static int check_row(const char *name) {
    const struct kernels *row = kernels_row(name);
    if (!row) {
        printf("%-10s skipped: not on this machine\n", name);
        return 0;
    }
    int bad = 0;
    for (const struct call *call = calls; call->name; call++) {
        if (call->is_public) continue;
        unsigned long before = secret_errors();
        int followed = 1, is_exempt = 1;
        for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
            for (int length = 0; length < 3; length++) {
                if (call_once(call, row, length, lives[i])) continue;
                followed = 0;
                is_exempt &= is_unfollowed(call, row, lives[i]);
            }
        }
        unsigned long errors = secret_errors() - before;
        printf("%-10s %-20s %lu leaks, results %s\n",
               name,
               call->name,
               errors,
               !followed && !is_exempt ? "UNMARKED"
               : is_shown(call)        ? "in the clear"
               : followed              ? "marked"
                                       : "not followed");
        fflush(stdout);
        bad |= errors != 0 || (!followed && !is_exempt);
    }
    return bad;
}

static int leak(const char *name) {
    uint8_t key[32];
    uint64_t found = 0;
    memset(key, 7, sizeof key);
    secret(key, sizeof key);
    if (strcmp(name, "branch") == 0) found = leak_by_branch(key, sizeof key);
    if (strcmp(name, "index") == 0) found = leak_by_index(key, sizeof key);
    if (strcmp(name, "borrow") == 0) found = leak_by_borrow(key, sizeof key);
    if (strcmp(name, "vector") == 0) found = leak_by_vector(key, sizeof key);
    taint_declassify(&found, sizeof found);
    return secret_errors() != 0;
}

int main(int count, char **words) {
    if (count == 3 && strcmp(words[1], "leak") == 0) return leak(words[2]);
    if (sodium_init() < 0) return 2;
    inputs_init(&inputs, 1);
    int bad = !vector_is_followed();
    if (bad) puts("the lanes lose marks");
    for (int i = 1; i < count; i++) bad |= check_row(words[i]);
    return bad;
}
