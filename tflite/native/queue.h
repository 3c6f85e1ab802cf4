/* Samples on their way: appended at the end, taken from the front. */
#ifndef KERASEP_QUEUE_H
#define KERASEP_QUEUE_H

#include "kerasep.h"

typedef struct queue {
    float *values;
    size_t first, count, room;
} queue;

/* Append values; NULL: zeros. */
bool queue_push(queue *to, const float *values, size_t count, kerasep_error *error);
float *queue_front(queue *of);
void queue_pop(queue *from, size_t count);
void queue_free(queue *of);

#endif
