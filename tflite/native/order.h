/* The order in which sources that a model gives in any agree best with others. */
#ifndef KERASEP_ORDER_H
#define KERASEP_ORDER_H

#include <stddef.h>

enum { MOST_ORDERED = 8 };

/* Rearrange `count` groups of `sources` interleaved numbers, at most MOST_ORDERED, so that the
 * first `compared` groups come nearest to the reference's. */
void order_like(const float *reference, size_t compared, float *estimate, size_t count,
                size_t sources);

#endif
