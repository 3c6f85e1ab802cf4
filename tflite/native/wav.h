/* WAV files, RF64 too: PCM of 8 to 32 bits and float in, 32-bit float out. */
#ifndef KERASEP_WAV_H
#define KERASEP_WAV_H

#include <stdint.h>
#include <stdio.h>

#include "kerasep.h"

typedef struct wav_reader {
    FILE *file;
    const char *name;
    int sample_rate;
    size_t channels;
    uint64_t samples; /* of each channel */
    uint64_t left;    /* of them, to be read */
    bool length_unknown; /* not in the header: the file is read to its end */
    size_t bytes;        /* of one sample of one channel */
    bool is_float;
} wav_reader;

/* Open a recording; name must outlive the reader. */
bool wav_open(wav_reader *wav, const char *path, kerasep_error *error);
/* The same for an open, seekable stream, which the reader then owns. */
bool wav_open_stream(wav_reader *wav, FILE *file, const char *name, kerasep_error *error);
/* Read up to `samples` of each channel, interleaved; fewer only at the end. */
bool wav_read(wav_reader *wav, float *audio, size_t samples, size_t *given, kerasep_error *error);
void wav_close(wav_reader *wav);

typedef struct wav_writer {
    FILE *file;
    char *path;
    char *partial; /* path of the incomplete file */
    int sample_rate;
    size_t channels;
    uint64_t samples;
} wav_writer;

bool wav_create(wav_writer *wav, const char *path, int sample_rate, size_t channels,
                kerasep_error *error);
/* Append samples of one source out of several that are interleaved. */
bool wav_write(wav_writer *wav, const float *sources, size_t samples, size_t source,
               size_t source_count, kerasep_error *error);
/* Complete the file and give it its name. */
bool wav_finish(wav_writer *wav, kerasep_error *error);
/* Remove an unfinished file, and free. */
void wav_discard(wav_writer *wav);

#endif
