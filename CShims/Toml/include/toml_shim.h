#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum toml_type {
    TOML_TYPE_TABLE = 0,
    TOML_TYPE_ARRAY = 1,
    TOML_TYPE_STRING = 2,
    TOML_TYPE_INTEGER = 3,
    TOML_TYPE_FLOAT = 4,
    TOML_TYPE_BOOLEAN = 5,
    TOML_TYPE_OTHER = 6, // dates and times
    TOML_TYPE_ERROR = 7, // the document does not parse; text says why
};

// One value of the document. `path` is the dotted key, array elements as `key[0]`; `text` is the
// string's content, or the value as decimal text; neither outlives the call.
typedef void (*toml_visit)(void *_Nullable context, const char *_Nonnull path, size_t path_length,
                           int type, const char *_Nonnull text, size_t text_length, int line);

// Visits every table, array and value in the order of the document's tree. After a syntax error
// there is exactly one visit, of type TOML_TYPE_ERROR. Never throws, never keeps the text.
void toml_flatten(const char *_Nonnull text, size_t length, toml_visit _Nonnull visit,
                  void *_Nullable context);

#ifdef __cplusplus
}
#endif
