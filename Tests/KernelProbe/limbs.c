#include "limbs.h"
#include <stdio.h>
#include <string.h>

void limbs_shift(uint64_t limb[5], int64_t up) {
    limb[0] += (uint64_t)up;
    for (int i = 0; i < 4; i++) {
        // An arithmetic shift: a borrow is -1.
        limb[i + 1] += (uint64_t)((int64_t)limb[i] >> 52);
        limb[i] &= LIMB_ONES;
    }
}

uint64_t limb_noise(struct inputs *inputs) {
    uint64_t style = inputs_below(inputs, 4);
    if (style < 2) return 0;
    return (style == 2 ? ~(uint64_t)0 : inputs_next(inputs)) & ~LIMB_ONES;
}

uint64_t limb_below(struct inputs *inputs, uint64_t most) {
    uint64_t small = inputs_below(inputs, 40), bit = inputs_below(inputs, 64), limb;
    switch (inputs_below(inputs, 8)) {
    case 0:
        return 0;
    case 1:
        return most;
    case 2:
        limb = small;
        break;
    case 3:
        limb = most - small;
        break;
    case 4:
        limb = ((uint64_t)1 << bit) + small - 20;
        break;
    default:
        limb = inputs_below(inputs, most);
    }
    return limb <= most ? limb : most;
}

uint64_t limb_noisy(struct inputs *inputs) {
    return limb_below(inputs, LIMB_ONES) | limb_noise(inputs);
}

void limbs_of_words(uint64_t limb[5], const uint64_t word[4]) {
    limb[0] = word[0] & LIMB_ONES;
    for (int i = 1; i < 4; i++)
        limb[i] = (word[i - 1] >> (64 - 12 * i) | word[i] << 12 * i) & LIMB_ONES;
    limb[4] = word[3] >> 16;
}

void words_wide(struct inputs *inputs, uint64_t word[4]) {
    uint8_t bytes[32];
    inputs_wide(inputs, bytes);
    memcpy(word, bytes, sizeof bytes);
}

static void print_limbs(FILE *out, const char *name, const uint64_t *limb) {
    if (!limb) return;
    fprintf(out, "  %-8s", name);
    for (int i = 4; i >= 0; i--) fprintf(out, " %016llx", (unsigned long long)limb[i]);
    fputc('\n', out);
}

void finding_report(struct probe_failure *first, const struct finding *finding) {
    size_t bytes;
    if (!first || first->text) return;
    FILE *out = open_memstream(&first->text, &bytes);
    if (!out) return;
    first->lane = finding->lane;
    fprintf(out,
            "%s: seed %llu, step %llu, lane %d; limbs, highest first\n",
            finding->what,
            (unsigned long long)finding->seed,
            (unsigned long long)finding->step,
            finding->lane);
    print_limbs(out, "a", finding->a);
    print_limbs(out, "b", finding->b);
    print_limbs(out, "found", finding->found);
    print_limbs(out, "expected", finding->expected);
    fclose(out);
}
