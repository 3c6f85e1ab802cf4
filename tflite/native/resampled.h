/* Recordings at any sample rate, beyond the band of the model too, as in
 * kerasep/separation/bands.py. */
#ifndef KERASEP_RESAMPLED_H
#define KERASEP_RESAMPLED_H

#include "kerasep.h"

/* Separate a recording at the model's rate. with_mixture: append the mixture to the sources. */
typedef bool (*separation)(kerasep *model, size_t channels, bool with_mixture, kerasep_read read,
                           kerasep_write write, void *context, kerasep_error *error);

/* Resample what is read to the model's rate and what is written back. What the mixture loses on
 * the way is added to the source that stands for the rest. */
bool separate_resampled(kerasep *model, const kerasep_format *format, separation separate,
                        kerasep_read read, kerasep_write write, void *context,
                        kerasep_error *error);

#endif
