/* Reading damaged files many times: nothing but a one-line error may happen.
 *
 * fuzz wav|json FILE COUNT    in this process, for a build with sanitizers
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metadata.h"
#include "wav.h"

enum { MOST_BYTES = 1 << 16 };

static uint32_t drawn(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Change some bytes, mostly near the start, and cut the end off now and then. */
static size_t damage(unsigned char *bytes, size_t size, uint32_t *state) {
    static const unsigned char ODD[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF, '"', '{', '-', '9'};
    for (uint32_t changes = 1 + drawn(state) % 6; changes; changes--) {
        size_t reach = drawn(state) % 4 && size > 64 ? 64 : size;
        size_t at = drawn(state) % reach;
        bytes[at] = drawn(state) % 2 ? ODD[drawn(state) % sizeof ODD]
                                     : (unsigned char)drawn(state);
    }
    return drawn(state) % 3 ? size : 1 + drawn(state) % size;
}

static bool read_wav(unsigned char *bytes, size_t size, kerasep_error *error) {
    wav_reader wav;
    FILE *file = fmemopen(bytes, size, "rb");
    if (!file || !wav_open_stream(&wav, file, "damaged.wav", error)) return false;
    float *audio = malloc(1000 * wav.channels * sizeof *audio);
    size_t given = 1;
    bool good = audio != NULL;
    while (good && given) good = wav_read(&wav, audio, 1000, &given, error);
    free(audio);
    wav_close(&wav);
    return good;
}

static bool read_json(unsigned char *bytes, size_t size, kerasep_error *error) {
    metadata found;
    char *exact = malloc(size); /* so that a read beyond its end is detected */
    if (!exact) return false;
    memcpy(exact, bytes, size);
    bool good = metadata_parse(&found, exact, size, "damaged.tflite", error);
    if (good) metadata_free(&found);
    free(exact);
    return good;
}

int main(int count, char **arguments) {
    static unsigned char original[MOST_BYTES], bytes[MOST_BYTES];
    FILE *file = count == 4 ? fopen(arguments[2], "rb") : NULL;
    if (!file) return 2;
    size_t size = fread(original, 1, sizeof original, file);
    fclose(file);
    bool is_wav = !strcmp(arguments[1], "wav");
    uint32_t state = 1;
    int accepted = 0, tries = atoi(arguments[3]);
    for (int i = 0; i < tries; i++) {
        kerasep_error error = {""};
        memcpy(bytes, original, size);
        size_t left = i ? damage(bytes, size, &state) : size; /* the first is whole */
        bool good = (is_wav ? read_wav : read_json)(bytes, left, &error);
        accepted += good;
        if (good == !!*error.text) {
            fprintf(stderr, "try %d: accepted %d, but it says '%s'\n", i, good, error.text);
            return 1;
        }
    }
    printf("%d accepted, %d refused\n", accepted, tries - accepted);
    return 0;
}
