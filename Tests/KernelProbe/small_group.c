#include "small_group.h"
#include <stdlib.h>

// Each a random point of the curve times the cofactor.
static const struct {
    int order;
    uint64_t b;
    struct fp x, y;
} generators[GROUPS] = {
    {7,
     6,
     {{0x8aac46fb6d5a117a, 0x47bb0e87da93e067, 0x0b64da9cb2faf6e0, 0xb79aa7705104bae0}},
     {{0xda857e9cba27cdbc, 0x73fea012dee4a381, 0x73c2e8a7fa9fd98e, 0x3e7538a82c91f813}}},
    {13,
     2,
     {{0xc151f97c12902b8a, 0x962476b87ca04bcd, 0xfa2e3b40491d77e7, 0x79ee1c36aebd658a}},
     {{0x166d3b19ba84b045, 0xdf182aa915b8aa6a, 0x3a701cc3ee3e443f, 0x942536cba3e49492}}},
    {199,
     4,
     {{0xfb12940c9ea66c18, 0x3b017a7da808c2f1, 0xa749dd392b4fb069, 0xfa7cc9a70737f2db}},
     {{0xcfe525727f0501ed, 0x48df246c808dae72, 0x8732bc911f3a2868, 0x78ac123a5ed8aef3}}},
};

// a + b, which have different x; or 2 a, if b is NULL.
static void add(struct fp *x, struct fp *y, const struct fp a[2], const struct fp *b) {
    struct fp rise, run;
    if (b) {
        rise = fp_sub(&b[1], &a[1]);
        run = fp_sub(&b[0], &a[0]);
    } else {
        struct fp xx = fp_square(&a[0]), xx2 = fp_add(&xx, &xx);
        rise = fp_add(&xx2, &xx);
        run = fp_add(&a[1], &a[1]);
    }
    struct fp inverse = fp_invert(&run), slope = fp_mul(&rise, &inverse);
    *x = fp_square(&slope);
    *x = fp_sub(x, &a[0]);
    *x = fp_sub(x, b ? &b[0] : &a[0]);
    *y = fp_sub(&a[0], x);
    *y = fp_mul(&slope, y);
    *y = fp_sub(y, &a[1]);
}

static int is_on_curve(const struct fp *x, const struct fp *y, uint64_t b) {
    struct fp xx = fp_square(x), cube = fp_mul(&xx, x), yy = fp_square(y),
              constant = {{b, 0, 0, 0}};
    cube = fp_add(&cube, &constant);
    return fp_equal(&yy, &cube) != 0;
}

void small_group_make(struct small_group *group, int which) {
    const struct fp generator[2] = {generators[which].x, generators[which].y}, zero = {{0}};
    const int order = group->order = generators[which].order;
    group->b = generators[which].b;
    group->x[1] = generator[0], group->y[1] = generator[1];
    add(&group->x[2], &group->y[2], generator, NULL);
    for (int i = 3; i < order; i++) {
        const struct fp before[2] = {group->x[i - 1], group->y[i - 1]};
        add(&group->x[i], &group->y[i], before, generator);
    }
    // All of them are points, and i G and -i G are opposite.
    for (int i = 1; i < order; i++) {
        struct fp y = fp_sub(&zero, &group->y[order - i]);
        if (!is_on_curve(&group->x[i], &group->y[i], group->b) ||
            !fp_equal(&group->x[i], &group->x[order - i]) || !fp_equal(&group->y[i], &y))
            abort();
    }
}
