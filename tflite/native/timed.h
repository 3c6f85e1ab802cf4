/* How long one chunk takes. */
#ifndef KERASEP_TIMED_H
#define KERASEP_TIMED_H

#include "kerasep.h"

/* Separate a chunk of noise `runs` times, after one that does not count; print the milliseconds of
 * each, a line each, and the most memory that the process took, in KiB. */
bool timed_chunks(kerasep *model, int runs, kerasep_error *error);

#endif
