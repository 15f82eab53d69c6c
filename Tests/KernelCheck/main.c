// kernel-check [--row R] [--kernel K] [--cases N] [--seed S]
//
// Compares rows of kernels with the scalar row: the long form of what CryptoTests do. One line for
// each kernel and row; exit status 1 after any mismatch, 2 for words it does not know.
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

static uint64_t check(const char *row, const char *kernel, const struct options *options) {
    struct probe_failure failure = {0};
    time_t start = time(NULL);
    uint64_t mismatches = probe_differential(row, kernel, options->seed, options->cases, &failure);
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
        for (int k = 0; probe_kernel(k); k++) {
            if (options.kernel && strcmp(options.kernel, probe_kernel(k)) != 0) continue;
            mismatches |= check(rows[r], probe_kernel(k), &options);
            checked++;
        }
    }
    if (checked == 0) fputs("nothing was checked\n", stderr);
    return checked == 0 ? 2 : mismatches != 0;
}
