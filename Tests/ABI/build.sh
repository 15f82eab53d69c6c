#!/bin/sh
# Builds the programs of this folder with gcc against an installed libdray, found by pkg-config:
#   PKG_CONFIG_PATH=PREFIX/lib/pkgconfig Tests/ABI/build.sh OUT
set -eu
here=$(dirname "$0")
out=$1
flags="-Wall -Wextra -Werror -O1 -g"
# shellcheck disable=SC2046
gcc -std=gnu17 $flags -o "$out/relay_vectors" "$here/main.c" "$here/relay_vectors.c" \
    "$here/hostile.c" $(pkg-config --cflags --libs dray jansson) -lpthread
# shellcheck disable=SC2046
g++ -std=c++17 $flags -o "$out/header" "$here/header.cpp" $(pkg-config --cflags --libs dray)
