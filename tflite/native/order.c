#include "order.h"

#include <stdbool.h>
#include <string.h>

/* The permutation after this one in the order of a dictionary; false after the last. */
static bool next_order(size_t *order, size_t count) {
    size_t i = count - 1, j = count - 1;
    while (i && order[i - 1] >= order[i]) i--;
    if (!i) return false;
    while (order[j] <= order[i - 1]) j--;
    size_t held = order[i - 1];
    order[i - 1] = order[j];
    order[j] = held;
    for (j = count - 1; i < j; i++, j--) {
        held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
    return true;
}

void order_like(const float *reference, size_t compared, float *estimate, size_t count,
                size_t sources) {
    double products[MOST_ORDERED][MOST_ORDERED] = {{0}};
    for (size_t i = 0; i < compared; i++)
        for (size_t a = 0; a < sources; a++)
            for (size_t b = 0; b < sources; b++)
                products[a][b] += (double)reference[i * sources + a] * estimate[i * sources + b];
    size_t order[MOST_ORDERED], best[MOST_ORDERED];
    for (size_t a = 0; a < sources; a++) best[a] = order[a] = a;
    double highest = 0;
    for (size_t a = 0; a < sources; a++) highest += products[a][a];
    while (next_order(order, sources)) {
        double sum = 0;
        for (size_t a = 0; a < sources; a++) sum += products[a][order[a]];
        if (sum > highest) {
            highest = sum;
            memcpy(best, order, sizeof best);
        }
    }
    for (size_t i = 0; i < count; i++) {
        float group[MOST_ORDERED];
        memcpy(group, estimate + i * sources, sources * sizeof *group);
        for (size_t a = 0; a < sources; a++) estimate[i * sources + a] = group[best[a]];
    }
}
