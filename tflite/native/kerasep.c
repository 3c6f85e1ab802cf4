#include "kerasep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chunks.h"
#include "error.h"
#include "opened.h"
#include "order.h"
#include "resampled.h"
#include "streamed.h"

static bool open_model(kerasep *opened, const char *path, int threads, kerasep_error *error) {
    const char *json;
    size_t bytes;
    if (threads < 0)
        return kerasep_fail(error, "received %d threads, expected at least 1", threads);
    if (!threads) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        threads = processors < 1 ? 1 : processors > 4 ? 4 : (int)processors;
    }
    return model_open(&opened->model, path, threads, error) &&
           model_metadata(&opened->model, &json, &bytes, error) &&
           metadata_parse(&opened->metadata, json, bytes, path, error);
}

kerasep *kerasep_open(const char *path, int threads, kerasep_error *error) {
    kerasep *opened = calloc(1, sizeof *opened);
    if (!opened) {
        kerasep_fail_memory(error);
        return NULL;
    }
    if (open_model(opened, path, threads, error)) return opened;
    kerasep_close(opened);
    return NULL;
}

void kerasep_close(kerasep *opened) {
    if (!opened) return;
    metadata_free(&opened->metadata);
    model_close(&opened->model);
    free(opened);
}

const char *kerasep_version(void) { return KERASEP_VERSION; }

const kerasep_about *kerasep_describe(const kerasep *model) { return &model->metadata.about; }

/* Channels in groups of the size that the model takes; the last channel is repeated to fill up. */
typedef struct grouped {
    const kerasep_about *about;
    size_t channels; /* of the recording */
    size_t lanes;    /* the sources, and the mixture if it is asked for */
    signature separate;
    tensor *mixture, *sources;
    float *in, *out;
    float *first; /* the first group's sources, whose order the others get */
} grouped;

static bool grouped_open(grouped *g, kerasep *model, size_t channels, size_t lanes,
                         kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    *g = (grouped){.about = about, .channels = channels, .lanes = lanes};
    size_t shape[] = {1, about->chunk, about->channels, about->source_count};
    if (!signature_open(&g->separate, &model->model, "separate", 1, 1, error) ||
        !(g->mixture = signature_input(&g->separate, "mixture", 3, shape, error)) ||
        !(g->sources = signature_output(&g->separate, "sources", 4, shape, error)))
        return false;
    g->in = calloc(g->mixture->count, sizeof(float));
    g->out = calloc(g->sources->count, sizeof(float));
    g->first = calloc(g->sources->count, sizeof(float));
    return g->in && g->out && g->first ? true : kerasep_fail_memory(error);
}

static void grouped_close(grouped *g) {
    signature_close(&g->separate);
    free(g->in);
    free(g->out);
    free(g->first);
}

static bool grouped_process(void *context, const float *mixture, float *sources,
                            kerasep_error *error) {
    grouped *g = context;
    size_t chunk = g->about->chunk, taken = g->about->channels, names = g->about->source_count;
    for (size_t begin = 0; begin < g->channels; begin += taken) {
        for (size_t i = 0; i < chunk; i++)
            for (size_t c = 0; c < taken; c++) {
                size_t from = begin + c < g->channels ? begin + c : g->channels - 1;
                g->in[i * taken + c] = mixture[i * g->channels + from];
            }
        if (!tensor_set(g->mixture, g->in, error) || !signature_run(&g->separate, error) ||
            !tensor_get_finite(&g->separate, g->sources, g->out, error))
            return false;
        if (g->about->interchangeable && !begin)
            memcpy(g->first, g->out, g->sources->count * sizeof(float));
        else if (g->about->interchangeable)
            order_like(g->first, chunk * taken, g->out, chunk * taken, names);
        for (size_t i = 0; i < chunk; i++)
            for (size_t c = 0; c < taken && begin + c < g->channels; c++) {
                float *to = sources + (i * g->channels + begin + c) * g->lanes;
                memcpy(to, g->out + (i * taken + c) * names, names * sizeof(float));
                if (g->lanes > names) to[names] = mixture[i * g->channels + begin + c];
            }
    }
    return true;
}

static bool separate_chunks(kerasep *model, size_t channels, bool with_mixture, kerasep_read read,
                            kerasep_write write, void *context, kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    size_t lanes = about->source_count + (with_mixture ? 1 : 0);
    chunking plan = {about->chunk, about->overlap, about->hop,
                     channels,     lanes,          about->interchangeable};
    grouped g;
    bool done = grouped_open(&g, model, channels, lanes, error) &&
                chunks_crossfaded(&plan, grouped_process, &g, read, write, context, error);
    grouped_close(&g);
    return done;
}

bool kerasep_separate_blocks(kerasep *model, const kerasep_format *format, kerasep_read read,
                             kerasep_write write, void *context, kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    separation separate = about->streams ? separate_streamed : separate_chunks;
    int rate = format->sample_rate;
    if (!format->channels || format->channels > 1024)
        return kerasep_fail(error, "received %zu channels, expected 1 to 1024", format->channels);
    if (rate && (rate < 1000 || rate > 768000))
        return kerasep_fail(error, "received %d Hz, expected 1000 to 768000", rate);
    if (!rate || rate == about->sample_rate)
        return separate(model, format->channels, false, read, write, context, error);
    return separate_resampled(model, format, separate, read, write, context, error);
}

/* A recording in memory, and where its stems go. */
typedef struct whole {
    const float *mixture;
    float *const *stems;
    size_t samples, channels, source_count;
    size_t taken, done;
} whole;

static bool read_whole(void *context, float *mixture, size_t samples, size_t *given,
                       kerasep_error *error) {
    whole *w = context;
    size_t left = w->samples - w->taken;
    *given = samples < left ? samples : left;
    const float *from = w->mixture + w->taken * w->channels;
    for (size_t i = 0; i < *given * w->channels; i++) {
        if (!isfinite(from[i]))
            return kerasep_fail(
                error, "received audio with NaN or infinite samples, expected finite ones");
        mixture[i] = from[i];
    }
    w->taken += *given;
    return true;
}

static bool write_whole(void *context, const float *sources, size_t samples,
                        kerasep_error *error) {
    whole *w = context;
    (void)error;
    for (size_t source = 0; source < w->source_count; source++)
        for (size_t i = 0; i < samples * w->channels; i++)
            w->stems[source][w->done * w->channels + i] = sources[i * w->source_count + source];
    w->done += samples;
    return true;
}

bool kerasep_separate(kerasep *model, const kerasep_format *format, const float *mixture,
                      size_t samples, float *const *stems, kerasep_error *error) {
    whole w = {.mixture = mixture, .stems = stems, .samples = samples};
    w.channels = format->channels;
    w.source_count = kerasep_describe(model)->source_count;
    if (!samples) return kerasep_fail(error, "received no samples, expected at least one");
    return kerasep_separate_blocks(model, format, read_whole, write_whole, &w, error);
}
