// Says to the checker which memory is secret: MemorySanitizer where it is compiled in, else
// memcheck.
#pragma once
#include <stddef.h>
#include <stdint.h>

void secret(void *memory, size_t bytes);
void taint_declassify(const void *memory, size_t bytes);
// 1 if some of every eight bytes is secret.
int is_secret(const void *memory, size_t bytes);
// 1 if the checker follows secrets through libraries and borrows too.
int secret_sees_everything(void);
// Errors so far, where the checker goes on after one.
unsigned long secret_errors(void);

// Functions that leak, for the checker to find.
uint64_t leak_by_branch(const uint8_t *key, size_t bytes);
uint64_t leak_by_index(const uint8_t *key, size_t bytes);
uint64_t leak_by_borrow(const uint8_t *key, size_t bytes);
uint64_t leak_by_vector(const uint8_t *key, size_t bytes);

// 1 if secrets keep their mark on the way through vector registers, or there are none here.
int vector_is_followed(void);
