#!/usr/bin/env python3
"""Prints base_table.h: the base point's comb. Run it as base_table.py > base_table.h."""

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
BY = 4 * pow(5, -1, P) % P


def root(y):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x % 2 == 0 else P - x


def add(a, b):
    t = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + t, -1, P) % P,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P)


def negative(a):
    return (-a[0] % P, a[1])


def limbs(value):
    value %= P
    return [value >> 52 * i & 2**52 - 1 for i in range(4)] + [value >> 208]


def row(point):
    x, y = point
    fields = [y + x, y - x, 2 * D * x * y]
    lines = ["{" + ", ".join(hex(v) for v in limbs(f)) + "}" for f in fields]
    return "{" + (",\n" + " " * 9).join(lines) + "}"


power = [(root(BY), BY)]
while len(power) < 256:
    power.append(add(power[-1], power[-1]))

print("// The base point's comb: Y + X, Y - X, 2 d X Y of each entry, with Z = 1; comb.h says which")
print("// sums of multiples they are, here with 16 blocks of 4 places. Made by base_table.py.")
print("#pragma once")
print("#include <stdint.h>")
print()
print("// clang-format off")
print("static const uint64_t base_point[3][5] =\n        " + row(power[0]) + ";")
print("static const uint64_t base_table[16][8][3][5] = {")
for block in range(16):
    print("    {")
    for entry in range(8):
        total = power[192 + 4 * block]
        for tooth in range(3):
            term = power[64 * tooth + 4 * block]
            total = add(total, term if entry >> tooth & 1 else negative(term))
        print("        " + row(total) + ",")
    print("    },")
print("};")
print("// clang-format on")
