// timing [SAMPLES [ROW KERNEL]]
//
// Does a kernel take as long for one secret as for others? Twice: one arbitrary secret against
// random ones, and the number 1, which is nearly all zeros, against random ones. After Reparaz,
// Balasch and Verbauwhede, "Dude, is my code constant time?" (2017): two classes of inputs in
// random order, Welch's t of their times. |t| below 4.5 says nothing was found at this number of
// samples.
#define _GNU_SOURCE
#include "../KernelProbe/calls.h"
#include "../KernelProbe/inputs.h"
#include <fcntl.h>
#include <immintrin.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define BAR         4.5
#define CONTROL_BAR 10.0
#define CROP        0.95 // what is slower was interrupted
#define SECRET_MAX  152
#define COPIES      4   // of the program, for what fails at first
#define CHUNK       512 // inputs made at a time, outside what is timed

enum { NODE_SCALAR = -1, CONTROL = -2, SIGNING_KEY = -3 };

struct target {
    const char *kernel;
    int field;        // what is secret and differs
    size_t length;    // of the other input
    uint64_t divisor; // of the number of samples, for those that take long
};

static const struct target targets[] = {
    {"alpha_step", NODE_SCALAR, 0, 4},
    {"edwards_mul", 1, 0, 2},
    {"edwards_mul_base", 0, 0, 2},
    {"scalar_mul", 0, 0, 1},
    {"scalar_clamp_reduce", 0, 0, 1},
    {"derive", 1, 32, 1},
    {"header_mac", 0, 241, 1},
    {"equal", 1, 16, 1},
    {"lioness_forward", 0, 1040, 1},
    {"lioness_inverse", 0, 1040, 1},
    {"half_keys", 0, 0, 1},
    {"hash_to_curve", 0, 52, 1},
    {"secp_mul_base", 0, 0, 2},
    {"secp_mul_base_add", 1, 0, 2},
    {"secp_mul", 1, 0, 2},
    {"secp_add_scalars", 0, 0, 1},
    {"ecdsa_nonce", SIGNING_KEY, 0, 1},
    {"ecdsa_nonce", 0, 0, 1},
    {"ecdsa_sign", SIGNING_KEY, 0, 2},
    {"ecdsa_sign", 1, 0, 2},
    {"ed25519_sign", NODE_SCALAR, 32, 2},
    {"sha256", 0, 96, 1},
    {"sha512", 0, 96, 1},
};

// One kernel of one row with everything it needs.
struct bench {
    const struct kernels *row;
    const struct target *target;
    const struct call *call; // NULL for the control
    uint8_t fixed[32];       // class 0, for every 32 bytes
    struct call_shape shape;
    struct kernels_lanes lanes[CALL_FIELDS];
    uint64_t live;
    size_t secret_bytes;
    uint8_t *secret; // where the kernel reads it, for all lanes
    size_t secret_total;
};

static struct inputs inputs;
static uint8_t memory[CALL_FIELDS][KERNELS_LANES_MAX * CALL_WIDTH_MAX];
static uint8_t node_scalar[32], node_public[32], signing_key[32], domain[32], control[64];
static uint8_t chunk[CHUNK][KERNELS_LANES_MAX * SECRET_MAX / 4];
static uint8_t chunk_class[CHUNK];

static inline uint64_t now(void) {
    unsigned cpu;
    _mm_lfence();
    uint64_t time = __rdtscp(&cpu);
    _mm_lfence();
    return time;
}

// Differs in time by where the first difference is: what the bar must see.
static int early_exit(const uint8_t *a, const uint8_t *b, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (a[i] != b[i]) return 0;
        __asm__ volatile("" : : : "memory");
    }
    return 1;
}

static void run(struct bench *bench) {
    if (bench->call) {
        bench->call->run(bench->row, bench->lanes, &bench->shape, bench->live);
    } else {
        volatile int same = early_exit(bench->secret, memory[0], sizeof control);
        (void)same;
    }
}

// Points are the same in both classes.
static void put_point(enum call_kind kind, uint8_t *at, size_t lane) {
    if (kind == CALL_POINT) memcpy(at, inputs.point[lane], 32);
    if (kind == CALL_SECP_POINT) memcpy(at, inputs.secp[lane], 64);
    if (kind == CALL_SECP_SHORT) at[0] = 2, memcpy(at + 1, inputs.secp[lane], 32);
}

static void prepare(struct bench *bench, const struct kernels *row, const struct target *target) {
    *bench = (struct bench){.row = row, .target = target, .call = call_named(target->kernel)};
    // As many lanes as a vector has: those of the portable row follow each other.
    bench->live = strcmp(row->name, "portable") == 0 ? 1 : 0xff;
    size_t lanes = (size_t)__builtin_popcountll(bench->live);
    bench->secret = control, bench->secret_bytes = bench->secret_total = sizeof control;
    memset(memory, 0, sizeof memory);
    if (!bench->call) return;
    bench->shape = (struct call_shape){.count = 2,
                                       .context = KERNELS_PRP,
                                       .domain = domain,
                                       .domain_bytes = sizeof domain,
                                       .node_scalar = node_scalar,
                                       .node_public = node_public,
                                       .signing_key = signing_key};
    inputs_random(&inputs, signing_key, sizeof signing_key);
    for (int i = 0; i < CALL_FIELDS; i++) {
        const struct call_field *field = &bench->call->field[i];
        size_t width = target->length < field->least ? field->least : target->length;
        bench->shape.width[i] = width > field->most ? field->most : width;
    }
    call_fit(bench->call, &bench->shape);
    for (int i = 0; i < CALL_FIELDS; i++) {
        size_t width = bench->shape.width[i];
        bench->lanes[i] = (struct kernels_lanes){memory[i], width, NULL};
        inputs_random(&inputs, memory[i], width * lanes);
        for (size_t lane = 0; lane < lanes; lane++)
            put_point(bench->call->field[i].kind, memory[i] + width * lane, lane);
    }
    bench->secret = target->field == NODE_SCALAR ? node_scalar : signing_key;
    bench->secret_bytes = bench->secret_total = 32;
    if (target->field < 0) return;
    bench->secret = memory[target->field];
    bench->secret_bytes = bench->shape.width[target->field];
    bench->secret_total = bench->secret_bytes * lanes;
}

// Scalars are below l, or at least below 2^255.
static void trim_scalars(const struct bench *bench, uint8_t *secret) {
    for (size_t end = 31; bench->secret_bytes == 32 && end < bench->secret_total; end += 32)
        secret[end] &= 0x0f;
}

// Class 0 is fixed (for `equal` and the control: what it is compared with), class 1 random.
static void make_chunk(const struct bench *bench) {
    int is_twin = !bench->call || strcmp(bench->target->kernel, "equal") == 0;
    for (int i = 0; i < CHUNK; i++) {
        chunk_class[i] = inputs_next(&inputs) & 1;
        for (size_t k = 0; k < bench->secret_total; k++) chunk[i][k] = bench->fixed[k % 32];
        if (is_twin) memcpy(chunk[i], memory[0], bench->secret_total);
        if (chunk_class[i]) inputs_random(&inputs, chunk[i], bench->secret_total);
        if (!is_twin) trim_scalars(bench, chunk[i]);
    }
}

struct times {
    double *value;
    uint8_t *class_of;
    size_t count;
};

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Of the times below the CROP quantile.
struct verdict {
    double t;          // Welch's
    double mean, less; // of class 1, and how much class 0 is below it
};

static double quantile(const struct times *times, double part) {
    double *sorted = malloc(times->count * sizeof *sorted);
    if (!sorted) exit(2);
    memcpy(sorted, times->value, times->count * sizeof *sorted);
    qsort(sorted, times->count, sizeof *sorted, by_value);
    double value = sorted[(size_t)((double)(times->count - 1) * part)];
    free(sorted);
    return value;
}

static struct verdict welch(const struct times *times) {
    double n[2] = {0}, mean[2] = {0}, squares[2] = {0}, limit = quantile(times, CROP);
    for (size_t i = 0; i < times->count; i++) {
        int c = times->class_of[i];
        if (times->value[i] > limit) continue;
        n[c]++;
        double step = times->value[i] - mean[c];
        mean[c] += step / n[c];
        squares[c] += step * (times->value[i] - mean[c]);
    }
    struct verdict verdict = {INFINITY, mean[1], mean[1] - mean[0]};
    if (n[0] < 2 || n[1] < 2) return verdict;
    double variance = squares[0] / (n[0] - 1) / n[0] + squares[1] / (n[1] - 1) / n[1];
    if (variance > 0)
        verdict.t = verdict.less / sqrt(variance);
    else if (verdict.less == 0)
        verdict.t = 0;
    return verdict;
}

static struct verdict measure(struct bench *bench, size_t samples) {
    struct times times = {malloc(samples * sizeof(double)), malloc(samples), samples};
    if (!times.value || !times.class_of) exit(2);
    for (size_t i = 0; i < samples; i++) {
        if (i % CHUNK == 0) make_chunk(bench);
        memcpy(bench->secret, chunk[i % CHUNK], bench->secret_total);
        uint64_t start = now();
        run(bench);
        times.value[i] = (double)(now() - start);
        times.class_of[i] = chunk_class[i % CHUNK];
    }
    struct verdict verdict = welch(&times);
    free(times.value);
    free(times.class_of);
    return verdict;
}

static double tell(struct bench *bench, const char *fixed, size_t samples) {
    struct verdict verdict = measure(bench, samples);
    printf("%-10s %-20s %-9s t = %7.2f, %zu samples, %+.1f of %.0f cycles%s\n",
           bench->row->name,
           bench->target->kernel,
           fixed,
           verdict.t,
           samples,
           verdict.less,
           verdict.mean,
           fabs(verdict.t) < BAR ? "" : ": DIFFERS");
    fflush(stdout);
    return fabs(verdict.t);
}

// Numbers of secp256k1 have their lowest byte at the end.
static int is_big_endian(const struct target *target) {
    if (target->field < 0) return target->field == SIGNING_KEY;
    return call_named(target->kernel)->field[target->field].kind == CALL_SECP_SCALAR;
}

// Both fixed secrets; true if one shows.
static int differs(const struct kernels *row, const struct target *target, size_t samples) {
    struct bench bench;
    int bad = 0;
    prepare(&bench, row, target);
    samples /= target->divisor;
    inputs_random(&inputs, bench.fixed, 32);
    bad |= tell(&bench, "arbitrary", samples) >= BAR;
    memset(bench.fixed, 0, 32);
    bench.fixed[is_big_endian(target) ? 31 : 0] = 1;
    bad |= tell(&bench, "one", samples) >= BAR;
    return bad;
}

// A new file with this program in it, so that its pages lie elsewhere in memory.
static int copy_of_self(void) {
    int from = open("/proc/self/exe", O_RDONLY), copy = memfd_create("timing", 0);
    if (from < 0 || copy < 0) exit(2);
    while (sendfile(copy, from, NULL, (size_t)1 << 20) > 0) {
    }
    close(from);
    return copy;
}

// A shared machine, and layouts of memory that favour one class: who fails is asked again with four
// times the samples, in COPIES new processes, and fails if it does so in all of them.
static int differs_again(const char *row, const char *kernel, size_t samples) {
    char number[32];
    snprintf(number, sizeof number, "%zu", 4 * samples);
    for (int i = 0; i < COPIES; i++) {
        int status = 1, copy = copy_of_self();
        char *words[] = {"timing", number, (char *)(uintptr_t)row, (char *)(uintptr_t)kernel, NULL};
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            fexecve(copy, words, environ);
            _exit(2);
        }
        close(copy);
        if (child > 0 && waitpid(child, &status, 0) == child && status == 0) return 0;
    }
    return 1;
}

static int check_control(size_t samples) {
    static const struct target target = {"early exit", CONTROL, 0, 1};
    struct bench bench;
    prepare(&bench, kernels_row("scalar"), &target);
    if (tell(&bench, "control", samples) > CONTROL_BAR) return 0;
    puts("the control was not seen: nothing can be said on this machine");
    return 1;
}

int main(int count, char **words) {
    static const char *const rows[] = {"portable", "avx512"};
    size_t samples = count > 1 ? strtoull(words[1], NULL, 10) : 20000;
    int is_one = count == 4, bad = 0;
    if (samples < 1000 || sodium_init() < 0) return 2;
    inputs_init(&inputs, (uint64_t)time(NULL));
    if (!is_one) bad |= check_control(samples);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const struct kernels *row = kernels_row(rows[r]);
        if (is_one && strcmp(words[2], rows[r]) != 0) continue;
        if (!row) printf("%-10s skipped: not on this machine\n", rows[r]);
        for (size_t i = 0; row && i < sizeof targets / sizeof targets[0]; i++) {
            const char *kernel = targets[i].kernel;
            if (is_one && strcmp(words[3], kernel) != 0) continue;
            if (!differs(row, &targets[i], samples)) continue;
            bad |= is_one || differs_again(rows[r], kernel, samples);
        }
    }
    return bad;
}
