/* Recordings of any length in overlapping chunks, whose results are crossfaded, as in
 * kerasep/separation/chunks.py. */
#ifndef KERASEP_CHUNKS_H
#define KERASEP_CHUNKS_H

#include "kerasep.h"

typedef struct chunking {
    size_t chunk, overlap, hop; /* in samples; the first two whole multiples of the third */
    size_t channels, sources;
    bool reorder; /* put the sources of each chunk into the order of those before */
} chunking;

/* Process `chunk` samples. */
typedef bool (*chunk_process)(void *context, const float *mixture, float *sources,
                              kerasep_error *error);

bool chunks_crossfaded(const chunking *plan, chunk_process process, void *process_context,
                       kerasep_read read, kerasep_write write, void *context,
                       kerasep_error *error);

#endif
