/* Time one chunk. */
#ifndef KERASEP_TIMED_H
#define KERASEP_TIMED_H

#include "kerasep.h"

/* Separate a chunk of noise `runs` times after a first run; print the milliseconds of
 * each run, one per line, and the peak memory of the process in KiB. */
bool timed_chunks(kerasep *model, int runs, kerasep_error *error);

#endif
