#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "wav.h"

enum { HEADER = 58, PIECE = 1 << 14 };
static const uint64_t MOST_BYTES = 0xFFFFFFFF - 1024;

static bool failed(wav_writer *wav, kerasep_error *error) {
    return kerasep_fail(error, "cannot write %s: check the folder and the space on the disk",
                        wav->path);
}

static unsigned char *put16(unsigned char *at, uint32_t value) {
    at[0] = value & 0xFF;
    at[1] = value >> 8 & 0xFF;
    return at + 2;
}

static unsigned char *put32(unsigned char *at, uint32_t value) {
    return put16(put16(at, value & 0xFFFF), value >> 16);
}

static unsigned char *put_name(unsigned char *at, const char *name) {
    memcpy(at, name, 4);
    return at + 4;
}

static bool write_header(wav_writer *wav) {
    uint32_t block = (uint32_t)wav->channels * 4;
    uint32_t bytes = (uint32_t)(wav->samples * block);
    unsigned char header[HEADER], *at = header;
    at = put32(put_name(at, "RIFF"), HEADER - 8 + bytes);
    at = put_name(at, "WAVE");
    at = put32(put_name(at, "fmt "), 18);
    at = put16(put16(at, 3), (uint32_t)wav->channels); /* 3: float */
    at = put32(put32(at, (uint32_t)wav->sample_rate), (uint32_t)wav->sample_rate * block);
    at = put16(put16(put16(at, block), 32), 0);
    at = put32(put32(put_name(at, "fact"), 4), (uint32_t)wav->samples);
    put32(put_name(at, "data"), bytes);
    return fwrite(header, 1, HEADER, wav->file) == HEADER;
}

bool wav_create(wav_writer *wav, const char *path, int sample_rate, size_t channels,
                kerasep_error *error) {
    *wav = (wav_writer){.sample_rate = sample_rate, .channels = channels};
    size_t room = strlen(path) + sizeof ".partial";
    wav->path = malloc(room);
    wav->partial = malloc(room);
    if (!wav->path || !wav->partial) {
        wav_discard(wav);
        return kerasep_fail_memory(error);
    }
    snprintf(wav->path, room, "%s", path);
    snprintf(wav->partial, room, "%s.partial", path);
    wav->file = fopen(wav->partial, "wb");
    if (wav->file && write_header(wav)) return true;
    failed(wav, error);
    wav_discard(wav);
    return false;
}

bool wav_write(wav_writer *wav, const float *sources, size_t samples, size_t source,
               size_t source_count, kerasep_error *error) {
    unsigned char raw[4 * PIECE];
    size_t values = samples * wav->channels;
    wav->samples += samples;
    if (wav->samples * wav->channels * 4 > MOST_BYTES)
        return kerasep_fail(error, "cannot write %s: WAV ends at 4 GiB: cut the recording",
                            wav->path);
    for (size_t first = 0; first < values; first += PIECE) {
        size_t count = values - first < PIECE ? values - first : PIECE;
        for (size_t i = 0; i < count; i++) {
            float value = sources[(first + i) * source_count + source];
            uint32_t bits;
            if (!isfinite(value))
                return kerasep_fail(error, "cannot write %s: there are NaN or infinite samples",
                                    wav->path);
            memcpy(&bits, &value, sizeof bits);
            put32(raw + 4 * i, bits);
        }
        if (fwrite(raw, 4, count, wav->file) != count) return failed(wav, error);
    }
    return true;
}

bool wav_finish(wav_writer *wav, kerasep_error *error) {
    bool written = !fseek(wav->file, 0, SEEK_SET) && write_header(wav);
    written = !fclose(wav->file) && written;
    wav->file = NULL;
    if (!written || rename(wav->partial, wav->path)) return failed(wav, error);
    free(wav->partial);
    wav->partial = NULL;
    return true;
}

void wav_discard(wav_writer *wav) {
    if (wav->file) fclose(wav->file);
    if (wav->partial) remove(wav->partial);
    free(wav->partial);
    free(wav->path);
    *wav = (wav_writer){0};
}
