#include <math.h>
#include <string.h>

#include "error.h"
#include "wav.h"

enum { PCM = 1, FLOAT = 3, EXTENSIBLE = 0xFFFE };
enum { MOST_CHANNELS = 64, LEAST_RATE = 1000, MOST_RATE = 768000, PIECE = 1 << 15 };
/* Programs that write to a pipe do not know the length of the audio, and write this or more. */
static const uint32_t UNKNOWN_LENGTH = 0x7FFFF000;
/* What follows the two bytes of the format in the GUID of an extensible one. */
static const unsigned char GUID_REST[14] = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                            0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};

static uint32_t u16(const unsigned char *at) { return at[0] | (uint32_t)at[1] << 8; }
static uint32_t u32(const unsigned char *at) { return u16(at) | u16(at + 2) << 16; }

static bool damaged(wav_reader *wav, const char *reason, kerasep_error *error) {
    return kerasep_fail(error, "%s is damaged: %s: get a complete copy", wav->name, reason);
}

static bool parse_format(wav_reader *wav, const unsigned char *chunk, size_t size,
                         kerasep_error *error) {
    if (size < 16) return damaged(wav, "its format is cut short", error);
    uint32_t format = u16(chunk), bits = u16(chunk + 14);
    if (format == EXTENSIBLE && size >= 40 && !memcmp(chunk + 26, GUID_REST, sizeof GUID_REST))
        format = u16(chunk + 24);
    wav->channels = u16(chunk + 2);
    uint32_t rate = u32(chunk + 4), block = u16(chunk + 12);
    if (wav->channels < 1 || wav->channels > MOST_CHANNELS || rate < LEAST_RATE || rate > MOST_RATE)
        return kerasep_fail(error,
                            "%s is damaged: its format makes no sense: %zu channels at %lu Hz, "
                            "expected 1 to %d at %d to %d Hz: get a complete copy",
                            wav->name, wav->channels, (unsigned long)rate, MOST_CHANNELS,
                            LEAST_RATE, MOST_RATE);
    wav->sample_rate = (int)rate;
    wav->bytes = (bits + 7) / 8;
    wav->is_float = format == FLOAT;
    bool known = format == PCM ? bits >= 1 && bits <= 32
                               : format == FLOAT && (bits == 32 || bits == 64);
    if (!known)
        return kerasep_fail(error,
                            "%s holds %u-bit audio of format %u, expected PCM of 8 to 32 bits or "
                            "float: convert it with: sox in.wav -e float out.wav",
                            wav->name, (unsigned)bits, (unsigned)format);
    if (block != wav->bytes * wav->channels)
        return damaged(wav, "the bytes of a sample contradict its bits", error);
    return true;
}

/* Whether what is left of a file is chunks, to its end: then audio of no bytes is none. */
static bool chunks_follow(wav_reader *wav, off_t end) {
    unsigned char head[8];
    off_t start = ftello(wav->file), at = start;
    while (end - at >= 8 && !fseeko(wav->file, at, SEEK_SET) && fread(head, 1, 8, wav->file) == 8) {
        for (int i = 0; i < 4; i++)
            if (head[i] < ' ' || head[i] > '~') end = -1;
        if (end < 0) break;
        at += 8 + (off_t)u32(head + 4) + (off_t)(u32(head + 4) & 1);
    }
    return !fseeko(wav->file, start, SEEK_SET) && at >= end && at <= end + 1;
}

/* wide: the size that the header of a file beyond 4 GiB says, or 0. */
static bool parse_data(wav_reader *wav, uint32_t size, uint64_t wide, off_t end,
                       kerasep_error *error) {
    uint64_t present = (uint64_t)(end - ftello(wav->file));
    uint64_t bytes = size == 0xFFFFFFFF && wide ? wide : size;
    /* A recorder that stopped early has not written the size. */
    bool unfinished = !size && present && !chunks_follow(wav, end);
    wav->length_unknown = unfinished || (bytes == size && size >= UNKNOWN_LENGTH && size > present);
    if (wav->length_unknown) bytes = present;
    if (bytes > present)
        return kerasep_fail(error,
                            "%s is truncated: its header says %llu bytes of audio, the file has "
                            "%llu: get a complete copy",
                            wav->name, (unsigned long long)bytes, (unsigned long long)present);
    wav->samples = wav->left = bytes / (wav->bytes * wav->channels);
    if (!wav->samples)
        return kerasep_fail(error, "%s holds no samples: get a complete copy", wav->name);
    return true;
}

static bool parse_header(wav_reader *wav, kerasep_error *error) {
    unsigned char head[12], chunk[40];
    if (fseeko(wav->file, 0, SEEK_END)) return damaged(wav, "it cannot be sought in", error);
    off_t end = ftello(wav->file);
    rewind(wav->file);
    if (fread(head, 1, 12, wav->file) != 12 ||
        (memcmp(head, "RIFF", 4) && memcmp(head, "RF64", 4) && memcmp(head, "BW64", 4)) ||
        memcmp(head + 8, "WAVE", 4))
        return kerasep_fail(error, "%s is no WAV file: convert it with: sox %s out.wav", wav->name,
                            wav->name);
    bool formatted = false;
    uint64_t wide = 0;
    while (fread(head, 1, 8, wav->file) == 8) {
        uint32_t size = u32(head + 4);
        if (!memcmp(head, "data", 4))
            return formatted ? parse_data(wav, size, wide, end, error)
                             : damaged(wav, "there is audio before its format", error);
        off_t next = ftello(wav->file) + (off_t)size + (off_t)(size & 1); /* padded to be even */
        bool is_format = !memcmp(head, "fmt ", 4);
        if (is_format || !memcmp(head, "ds64", 4)) {
            size_t wanted = size < sizeof chunk ? size : sizeof chunk;
            if (fread(chunk, 1, wanted, wav->file) != wanted)
                return damaged(wav, "its format is cut short", error);
            if (is_format && !parse_format(wav, chunk, wanted, error)) return false;
            formatted = formatted || is_format;
            /* The sizes of all, and of the audio. */
            if (!is_format && wanted >= 16) wide = u32(chunk + 8) | (uint64_t)u32(chunk + 12) << 32;
        }
        if (next > end || fseeko(wav->file, next, SEEK_SET)) break;
    }
    return damaged(wav, "there is no audio in it", error);
}

bool wav_open_stream(wav_reader *wav, FILE *file, const char *name, kerasep_error *error) {
    *wav = (wav_reader){.file = file, .name = name};
    if (parse_header(wav, error)) return true;
    wav_close(wav);
    return false;
}

bool wav_open(wav_reader *wav, const char *path, kerasep_error *error) {
    FILE *file = fopen(path, "rb");
    if (!file) return kerasep_fail(error, "%s cannot be read: check the path", path);
    return wav_open_stream(wav, file, path, error);
}

static float decoded(const unsigned char *at, size_t bytes, bool is_float) {
    if (is_float && bytes == 4) {
        uint32_t bits = u32(at);
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (is_float) {
        uint64_t bits = u32(at) | (uint64_t)u32(at + 4) << 32;
        double value;
        memcpy(&value, &bits, sizeof value);
        return fabs(value) <= 3e38 ? (float)value : (float)NAN;
    }
    if (bytes == 1) return (float)((int)at[0] - 128) / 128.0f; /* the only unsigned one */
    uint32_t bits = 0;
    for (size_t byte = 0; byte < bytes; byte++) bits |= (uint32_t)at[byte] << 8 * (4 - bytes + byte);
    int32_t value;
    memcpy(&value, &bits, sizeof value);
    return (float)value / 2147483648.0f;
}

bool wav_read(wav_reader *wav, float *audio, size_t samples, size_t *given, kerasep_error *error) {
    unsigned char raw[PIECE];
    size_t block = wav->bytes * wav->channels;
    *given = 0;
    while (*given < samples && wav->left) {
        size_t wanted = samples - *given;
        if (wanted > PIECE / block) wanted = PIECE / block;
        if (wanted > wav->left) wanted = (size_t)wav->left;
        if (fread(raw, block, wanted, wav->file) != wanted)
            return damaged(wav, "reading stopped before its end", error);
        for (size_t i = 0; i < wanted * wav->channels; i++) {
            float value = decoded(raw + i * wav->bytes, wav->bytes, wav->is_float);
            if (!isfinite(value))
                return kerasep_fail(error, "%s has NaN or infinite samples: repair the file",
                                    wav->name);
            audio[*given * wav->channels + i] = value;
        }
        *given += wanted;
        wav->left -= wanted;
    }
    return true;
}

void wav_close(wav_reader *wav) {
    if (wav->file) fclose(wav->file);
    wav->file = NULL;
}
