/* The order of a model's sources that agrees best with a reference. */
#ifndef KERASEP_ORDER_H
#define KERASEP_ORDER_H

#include <stddef.h>

enum { MOST_ORDERED = 8 };

/* Rearrange `count` groups of `sources` interleaved numbers, at most MOST_ORDERED, so that the
 * first `compared` groups come nearest to the reference's. */
void order_like(const float *reference, size_t compared, float *estimate, size_t count,
                size_t sources);

#endif
