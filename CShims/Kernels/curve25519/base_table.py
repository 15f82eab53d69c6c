#!/usr/bin/env python3
"""Prints base_table.h: the base point's comb. Run it as base_table.py > base_table.h."""

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
BY = 4 * pow(5, -1, P) % P
TEETH, BLOCKS, PLACES = 6, 11, 4


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


def fields(point):
    x, y = point
    return [limbs(y + x), limbs(y - x), limbs(2 * D * x * y)]


def lines(words, indent):
    text = [f"0x{word:013x}," for word in words]
    for i in range(0, len(text), 5):
        print(" " * indent + " ".join(text[i:i + 5]))


power = [(root(BY), BY)]
while len(power) < TEETH * BLOCKS * PLACES:
    power.append(add(power[-1], power[-1]))

print("// The base point's comb: Y + X, Y - X, 2 d X Y of each entry, with Z = 1; base.h says which")
print("// sums of multiples they are. An entry's limbs lie apart: blocks, fields, limbs, entries.")
print("// Made by base_table.py.")
print("#pragma once")
print("#include <stdint.h>")
print()
print("// clang-format off")
print("static const uint64_t base_point[3][5] = {")
for field in fields(power[0]):
    print("    {")
    lines(field, 8)
    print("    },")
print("};")
print(f"static const uint64_t base_table[{BLOCKS}][3][5][{2 ** (TEETH - 1)}] = {{")
for block in range(BLOCKS):
    entries = []
    for entry in range(2 ** (TEETH - 1)):
        at = [power[BLOCKS * PLACES * tooth + PLACES * block] for tooth in range(TEETH)]
        total = at[-1]
        for tooth in range(TEETH - 1):
            total = add(total, at[tooth] if entry >> tooth & 1 else negative(at[tooth]))
        entries.append(fields(total))
    print("    {")
    for field in range(3):
        print("        {")
        for limb in range(5):
            print("            {")
            lines([entry[field][limb] for entry in entries], 16)
            print("            },")
        print("        },")
    print("    },")
print("};")
print("// clang-format on")
