/* Recordings of any number of channels through a file for streams. */
#ifndef KERASEP_STREAMED_H
#define KERASEP_STREAMED_H

#include "kerasep.h"

/* As `separation` of resampled.h. */
bool separate_streamed(kerasep *model, size_t channels, bool with_mixture, kerasep_read read,
                       kerasep_write write, void *context, kerasep_error *error);

#endif
