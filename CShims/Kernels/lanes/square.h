// A state of sixteen words as a square of four rows, as ChaCha20 and BLAKE3 have it.
#pragma once

// Word i of a row, and of a row turned by so many words.
#define ROW_A(i)  (i)
#define ROW_B(i)  (4 + (i))
#define ROW_C(i)  (8 + (i))
#define ROW_D(i)  (12 + (i))
#define ROW_B1(i) (4 + ((i) + 1) % 4)
#define ROW_C2(i) (8 + ((i) + 2) % 4)
#define ROW_D3(i) (12 + ((i) + 3) % 4)
