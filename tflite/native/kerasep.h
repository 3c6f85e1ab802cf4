/* Separate recordings with a .tflite file that kerasep exported: C11, on LiteRT's C library.
 *
 * Audio is float with full scale 1, channels interleaved: audio[sample * channels + channel].
 * Functions that can fail return false or NULL and leave a one-line message in `error`.
 * Use a model from one thread at a time. Different models share nothing.
 */
#ifndef KERASEP_H
#define KERASEP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct kerasep kerasep;
typedef struct kerasep_stream kerasep_stream;

typedef struct kerasep_error {
    char text[256];
} kerasep_error;

/* The metadata of a file; lengths in samples at sample_rate. A file is for recordings, with a
 * chunk, or for streams. */
typedef struct kerasep_about {
    const char *model;          /* its class in kerasep */
    const char *const *sources; /* names, in the order of all results */
    size_t source_count;
    int sample_rate; /* in Hz */
    size_t channels; /* that the model takes at once; recordings may have any number */
    size_t chunk;    /* samples that it takes at once; 0 in a file for streams */
    size_t overlap;  /* that neighbouring chunks of a long recording share */
    size_t hop; /* chunks start at multiples of this */
    bool interchangeable; /* whether the model's sources come in any order */
    bool streams;         /* whether the file is for streams */
    size_t latency;       /* of a stream: after n samples in, at least n - latency have come out */
    int residual; /* index of the source that stands for the rest of the mixture, or -1 */
} kerasep_about;

/* Of a recording. */
typedef struct kerasep_format {
    size_t channels; /* any number; those that the model takes are separated together */
    int sample_rate; /* in Hz; 0: the model's */
    bool model_band; /* whether stems end with the model's band; else the residual source gets what
                        lies beyond, so that the stems add up to the mixture at its own rate */
} kerasep_format;

/* Version of the library, such as "0.1.0". */
const char *kerasep_version(void);

/* Load a file. threads: 0 for as many as there are processors, at most 4. */
kerasep *kerasep_open(const char *path, int threads, kerasep_error *error);
void kerasep_close(kerasep *model);
/* Valid until the model is closed. */
const kerasep_about *kerasep_describe(const kerasep *model);

/* Separate a recording of any length.
 * stems: for each source a buffer like the mixture's, samples * channels. */
bool kerasep_separate(kerasep *model, const kerasep_format *format, const float *mixture,
                      size_t samples, float *const *stems, kerasep_error *error);

/* The same block by block, for recordings that do not fit into memory.
 * read: write up to `samples` samples to `mixture`, and their number to `given`; fewer only at the
 * end.
 * write: receive the next samples of all sources, sources[(sample * channels + channel) *
 * source_count + source]. Both return false with `error` filled in to stop. */
typedef bool (*kerasep_read)(void *context, float *mixture, size_t samples, size_t *given,
                             kerasep_error *error);
typedef bool (*kerasep_write)(void *context, const float *sources, size_t samples,
                              kerasep_error *error);
bool kerasep_separate_blocks(kerasep *model, const kerasep_format *format, kerasep_read read,
                             kerasep_write write, void *context, kerasep_error *error);

/* Live streams, with a file exported for them and at its rate: blocks of any size in, sources out as soon as they are
 * ready, late by the latency. The state is in the stream, so several streams may share a model.
 * Nothing is allocated after opening. */
kerasep_stream *kerasep_stream_open(kerasep *model, kerasep_error *error);
void kerasep_stream_close(kerasep_stream *stream);
/* Process a block with the model's channels; write receives what is ready, in one or more parts. */
bool kerasep_stream_process(kerasep_stream *stream, const float *mixture, size_t samples,
                            kerasep_write write, void *context, kerasep_error *error);
/* End the stream: write receives the rest, so that as many samples come out as went in. The next
 * block starts a new stream. */
bool kerasep_stream_flush(kerasep_stream *stream, kerasep_write write, void *context,
                          kerasep_error *error);

#endif
