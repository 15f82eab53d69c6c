#define _GNU_SOURCE
#include "loadio.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct load_cpus) == sizeof(cpu_set_t), "a set of CPUs");

int load_pin(int cpu, struct load_cpus *before) {
    cpu_set_t set;
    if (cpu < 0 || cpu >= CPU_SETSIZE) return -EINVAL;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -errno;
    memcpy(before, &set, sizeof set);
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

void load_unpin(const struct load_cpus *before) {
    cpu_set_t set;
    memcpy(&set, before, sizeof set);
    sched_setaffinity(0, sizeof set, &set);
}

static int has_name(const char *thread, const char *name) {
    char path[64], found[32] = {0};
    snprintf(path, sizeof path, "/proc/self/task/%.10s/comm", thread);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    const size_t count = fread(found, 1, sizeof found - 1, file);
    fclose(file);
    return count == strlen(name) + 1 && memcmp(found, name, count - 1) == 0;
}

int load_thread(const char *name) {
    DIR *folder = opendir("/proc/self/task");
    if (!folder) return 0;
    int thread = 0;
    for (struct dirent *entry; thread == 0 && (entry = readdir(folder));)
        if (has_name(entry->d_name, name)) thread = atoi(entry->d_name);
    closedir(folder);
    return thread;
}

uint64_t load_thread_nanos(int thread) {
    // As the C library makes it in pthread_getcpuclockid: per thread, by the scheduler's clock.
    const clockid_t clock = (clockid_t)(~(unsigned)thread << 3 | 6);
    struct timespec spent = {0};
    if (clock_gettime(clock, &spent) != 0) return 0;
    return (uint64_t)spent.tv_sec * 1000000000u + (uint64_t)spent.tv_nsec;
}

uint64_t load_resident(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    unsigned long long whole = 0, resident = 0;
    const int read = fscanf(file, "%llu %llu", &whole, &resident);
    fclose(file);
    return read == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
