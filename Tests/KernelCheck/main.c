// kernel-check [--row R] [--kernel K] [--cases N] [--seed S]
//
// Compares rows of kernels with the scalar row: the long form of what CryptoTests do. One line for
// each kernel and row, and for each part of the arithmetic in its lanes; exit status 1 after any
// mismatch, 2 for words it does not know.
#include "probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
    const char *row, *kernel;
    uint64_t cases, seed;
};

static int parse(struct options *options, int count, char **words) {
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count) return 0;
        const char *name = words[i], *value = words[i + 1];
        char *end = (char *)(uintptr_t) "";
        if (strcmp(name, "--row") == 0)
            options->row = value;
        else if (strcmp(name, "--kernel") == 0)
            options->kernel = value;
        else if (strcmp(name, "--cases") == 0)
            options->cases = strtoull(value, &end, 0);
        else if (strcmp(name, "--seed") == 0)
            options->seed = strtoull(value, &end, 0);
        else
            return 0;
        if (*end != 0) return 0;
    }
    return 1;
}

typedef uint64_t runner(const char *row, const char *name, uint64_t seed, uint64_t cases,
                        struct probe_failure *first);

static uint64_t check(runner *run, const char *row, const char *kernel,
                      const struct options *options) {
    struct probe_failure failure = {0};
    time_t start = time(NULL);
    uint64_t mismatches = run(row, kernel, options->seed, options->cases, &failure);
    printf("%-10s %-20s %12llu cases %llu mismatches  %lld s\n",
           row,
           kernel,
           (unsigned long long)options->cases,
           (unsigned long long)mismatches,
           (long long)(time(NULL) - start));
    if (failure.text) fputs(failure.text, stdout);
    free(failure.text);
    fflush(stdout);
    return mismatches;
}

static int is_asked(const struct options *options, const char *kernel) {
    return !options->kernel || strcmp(options->kernel, kernel) == 0;
}

// Every kernel of the row that is asked for, and the arithmetic below; how many there were.
static uint64_t check_all(const char *row, const struct options *options, uint64_t *mismatches) {
    uint64_t checked = 0;
    for (int k = 0; probe_kernel(k); k++) {
        if (!is_asked(options, probe_kernel(k))) continue;
        *mismatches |= check(probe_differential, row, probe_kernel(k), options);
        checked++;
    }
    for (int k = 0; probe_lanes(k); k++) {
        if (!is_asked(options, probe_lanes(k))) continue;
        *mismatches |= check(probe_lanes_check, row, probe_lanes(k), options);
        checked++;
    }
    return checked;
}

int main(int count, char **words) {
    static const char *const rows[] = {"portable", "avx512"};
    struct options options = {.cases = 100000, .seed = (uint64_t)time(NULL)};
    if (!parse(&options, count, words)) {
        fputs("kernel-check [--row R] [--kernel K] [--cases N] [--seed S]\n", stderr);
        return 2;
    }
    printf("seed %llu\n", (unsigned long long)options.seed);
    uint64_t mismatches = 0, checked = 0;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        if (options.row && strcmp(options.row, rows[r]) != 0) continue;
        if (!probe_runs(rows[r])) {
            printf("%-10s skipped: not on this machine\n", rows[r]);
            continue;
        }
        checked += check_all(rows[r], &options, &mismatches);
    }
    if (checked == 0) fputs("nothing was checked\n", stderr);
    return checked == 0 ? 2 : mismatches != 0;
}
