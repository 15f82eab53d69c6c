// Uses libdray as an embedder would: relay_vectors FOLDER, or --codes to print the drop codes.
#include "check.h"

unsigned long checks, failures;

static void print_codes(void) {
    for (uint32_t code = 0; dray_drop_name(code); code++) printf("%s\n", dray_drop_name(code));
}

int main(int count, char **arguments) {
    if (count == 2 && !strcmp(arguments[1], "--codes")) {
        print_codes();
        return 0;
    }
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER | --codes\n", arguments[0]);
        return 2;
    }
    CHECK(dray_abi_version() == DRAY_ABI_VERSION, "version %u", dray_abi_version());
    CHECK(dray_kernels_name()[0], "no kernels");
    relay_vectors(arguments[1]);
    hostile();
    threads();
    printf("%lu passed, %lu failed\n", checks - failures, failures);
    return failures != 0;
}
