#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

static bool make_room(queue *of, size_t count) {
    if (of->first + of->count + count <= of->room) return true;
    if (of->count) memmove(of->values, of->values + of->first, of->count * sizeof(float));
    of->first = 0;
    if (of->count + count <= of->room) return true;
    size_t room = 2 * (of->count + count);
    float *values = realloc(of->values, room * sizeof(float));
    if (!values) return false;
    of->values = values;
    of->room = room;
    return true;
}

bool queue_push(queue *to, const float *values, size_t count, kerasep_error *error) {
    if (!count) return true;
    if (!make_room(to, count)) return kerasep_fail_memory(error);
    float *end = to->values + to->first + to->count;
    if (values)
        memcpy(end, values, count * sizeof(float));
    else
        memset(end, 0, count * sizeof(float));
    to->count += count;
    return true;
}

float *queue_front(queue *of) { return of->values + of->first; }

void queue_pop(queue *from, size_t count) {
    from->first += count;
    from->count -= count;
}

void queue_free(queue *of) {
    free(of->values);
    *of = (queue){0};
}
