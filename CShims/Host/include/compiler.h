#pragma once

// Name and version of the compiler that built the C of this program; a constant string.
const char *_Nonnull host_compiler(void);
