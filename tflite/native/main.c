/* The command kerasep-native: a WAV file in, one WAV file per source out. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "kerasep.h"
#include "timed.h"
#include "wav.h"

static const char USAGE[] =
    "kerasep-native MODEL.tflite                          describe a file\n"
    "kerasep-native MODEL.tflite RECORDING.wav FOLDER     separate into FOLDER/<source>.wav\n"
    "kerasep-native --time RUNS MODEL.tflite              measure the time for a chunk\n"
    "  --threads N    number of threads; default: as many as there are processors, at most 4\n"
    "  --band model   end the stems with the model's band; default: full, the rest of the mixture\n"
    "                 goes to the source that stands for it\n"
    "  --overwrite    replace existing files\n"
    "  --version      print the version\n";

enum { MOST_SOURCES = 64 };

typedef struct options {
    const char *positional[3];
    int count;
    int threads;
    int runs; /* to time */
    bool overwrite, model_band;
} options;

static bool parse_number(int *number, const char *text) {
    char *end;
    long found = strtol(text, &end, 10);
    *number = (int)found;
    return !*end && found >= 1 && found <= 1024;
}

typedef struct job {
    wav_reader recording;
    wav_writer stems[MOST_SOURCES];
    size_t source_count;
    bool heard;
} job;

static bool parse(options *found, int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "--overwrite")) {
            found->overwrite = true;
        } else if (!strcmp(arguments[i], "--threads") && i + 1 < count) {
            if (!parse_number(&found->threads, arguments[++i])) return false;
        } else if (!strcmp(arguments[i], "--time") && i + 1 < count) {
            if (!parse_number(&found->runs, arguments[++i])) return false;
        } else if (!strcmp(arguments[i], "--band") && i + 1 < count) {
            found->model_band = !strcmp(arguments[++i], "model");
            if (!found->model_band && strcmp(arguments[i], "full")) return false;
        } else if (arguments[i][0] == '-' || found->count == 3) {
            return false;
        } else {
            found->positional[found->count++] = arguments[i];
        }
    }
    return found->count == 1 || (found->count == 3 && !found->runs);
}

static void describe(const kerasep_about *about) {
    printf("model        %s\nsources     ", about->model);
    for (size_t i = 0; i < about->source_count; i++) printf(" %s", about->sources[i]);
    printf("\nsample rate  %d Hz\nchannels     %zu\n", about->sample_rate, about->channels);
    if (about->streams)
        printf("latency      %zu samples, %.3f s\n", about->latency,
               (double)about->latency / about->sample_rate);
    else
        printf("chunk        %zu samples, %.3f s\noverlap      %zu samples\n", about->chunk,
               (double)about->chunk / about->sample_rate, about->overlap);
}

static bool read_recording(void *context, float *mixture, size_t samples, size_t *given,
                           kerasep_error *error) {
    job *j = context;
    if (!wav_read(&j->recording, mixture, samples, given, error)) return false;
    for (size_t i = 0; !j->heard && i < *given * j->recording.channels; i++)
        j->heard = mixture[i] != 0;
    return true;
}

static bool write_stems(void *context, const float *sources, size_t samples,
                        kerasep_error *error) {
    job *j = context;
    for (size_t i = 0; i < j->source_count; i++)
        if (!wav_write(&j->stems[i], sources, samples, i, j->source_count, error)) return false;
    return true;
}

static bool create_stems(job *j, const kerasep_about *about, const char *folder, bool overwrite,
                         kerasep_error *error) {
    char path[4096];
    struct stat status;
    if (mkdir(folder, 0777) && errno != EEXIST)
        return kerasep_fail(error, "cannot make the folder %s: check the path", folder);
    for (size_t i = 0; i < about->source_count; i++) {
        int length = snprintf(path, sizeof path, "%s/%s.wav", folder, about->sources[i]);
        if (length < 0 || (size_t)length >= sizeof path)
            return kerasep_fail(error, "received a path that is too long: %.100s...", folder);
        if (!overwrite && !stat(path, &status))
            return kerasep_fail(error, "%s exists: remove it, or ask to --overwrite", path);
        if (!wav_create(&j->stems[i], path, j->recording.sample_rate, j->recording.channels, error))
            return false;
        j->source_count++;
    }
    return true;
}

static bool separate(kerasep *model, job *j, const options *asked, kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    const char *recording = asked->positional[1];
    if (!wav_open(&j->recording, recording, error)) return false;
    if (j->recording.length_unknown)
        fprintf(stderr, "warning: %s does not say how long it is: read to its end\n", recording);
    kerasep_format format = {j->recording.channels, j->recording.sample_rate, asked->model_band};
    if (!asked->model_band && about->residual < 0 && format.sample_rate > about->sample_rate)
        fprintf(stderr, "warning: the stems end at %g Hz: no source stands for the rest\n",
                about->sample_rate / 2.0);
    if (!create_stems(j, about, asked->positional[2], asked->overwrite, error) ||
        !kerasep_separate_blocks(model, &format, read_recording, write_stems, j, error))
        return false;
    if (!j->heard)
        return kerasep_fail(error, "%s is silent throughout: there is nothing to separate",
                            recording);
    for (size_t i = 0; i < j->source_count; i++) {
        if (!wav_finish(&j->stems[i], error)) return false;
        printf("%s\n", j->stems[i].path);
    }
    return true;
}

/* LiteRT announces its kernels on stderr; its errors come back as ours. */
static kerasep *open_quietly(const options *asked, kerasep_error *error) {
    int heard = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    if (heard >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    kerasep *model = kerasep_open(asked->positional[0], asked->threads, error);
    if (heard >= 0 && nowhere >= 0) dup2(heard, STDERR_FILENO);
    if (heard >= 0) close(heard);
    if (nowhere >= 0) close(nowhere);
    return model;
}

int main(int count, char **arguments) {
    options asked = {0};
    kerasep_error error;
    if (count == 2 && !strcmp(arguments[1], "--version")) {
        printf("kerasep-native %s\n", kerasep_version());
        return 0;
    }
    if (!parse(&asked, count, arguments)) {
        fputs(USAGE, stderr);
        return 2;
    }
    kerasep *model = open_quietly(&asked, &error);
    job *j = calloc(1, sizeof *j);
    bool done = model && j;
    if (done && asked.runs)
        done = timed_chunks(model, asked.runs, &error);
    else if (done && asked.count == 1)
        describe(kerasep_describe(model));
    if (done && asked.count == 3) done = separate(model, j, &asked, &error);
    if (model && !j) kerasep_fail_memory(&error);
    if (j) {
        wav_close(&j->recording);
        for (size_t i = 0; i < MOST_SOURCES; i++) wav_discard(&j->stems[i]);
    }
    free(j);
    kerasep_close(model);
    if (!done) fprintf(stderr, "error: %s\n", error.text);
    return done ? 0 : 1;
}
