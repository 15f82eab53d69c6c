// What the C programs of this folder share.
#ifndef CHECK_H
#define CHECK_H

#include <dray.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Checks made, and checks that failed.
extern unsigned long checks, failures;

// Counts a check; a failed one is named.
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        checks++;                                                                                  \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                 \
            printf(__VA_ARGS__);                                                                   \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)

// Zeroed memory on a 64-byte boundary; ends the program if there is none.
static inline void *memory(size_t size) {
    void *found = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!found) abort();
    memset(found, 0, size);
    return found;
}

// Relays every packet vector in a folder, and checks verdicts of the negative ones.
void relay_vectors(const char *folder);

// Calls every function with everything that is wrong.
void hostile(void);

// Two contexts at once, and one context from two threads.
void threads(void);

#endif
