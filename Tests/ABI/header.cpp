// The header in C++: it declares C functions that link.
#include <dray.h>

static_assert(sizeof(dray_amount) == 16, "an amount is 128 bits");

int main() {
    dray_config config{};
    if (dray_config_init(&config, "mix13") != DRAY_OK) return 1;
    return dray_abi_version() == DRAY_ABI_VERSION && dray_packet_size(&config) == 3669 ? 0 : 1;
}
