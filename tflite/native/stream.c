#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "opened.h"

/* One of the two steps: `samples` in, as many of all sources out. */
typedef struct stride {
    signature signature;
    tensor *mixture, *state, *sources, *new_state;
    size_t samples;
} stride;

struct kerasep_stream {
    const kerasep_about *about;
    signature reset;
    tensor *start;
    stride large, small;
    float *state;
};

static bool open_stride(stride *opened, kerasep *model, const char *key, size_t size,
                        kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    signature *of = &opened->signature;
    size_t mixture[] = {1, 0, about->channels};
    size_t sources[] = {1, 0, about->channels, about->source_count};
    size_t state[] = {1, size};
    if (!signature_open(of, &model->model, key, error) ||
        !(opened->mixture = signature_input(of, "mixture", 3, mixture, error)))
        return false;
    sources[1] = opened->samples = (size_t)opened->mixture->shape[1];
    return (opened->state = signature_input(of, "state", 2, state, error)) &&
           (opened->sources = signature_output(of, "sources", 4, sources, error)) &&
           (opened->new_state = signature_output(of, "state", 2, state, error));
}

static bool open_stream(kerasep_stream *opened, kerasep *model, kerasep_error *error) {
    size_t any[] = {1, 0};
    opened->about = kerasep_describe(model);
    if (!model_has(&model->model, "step"))
        return kerasep_fail(error, "received %s, which cannot stream: export a causal model for it",
                            model->model.path);
    if (!signature_open(&opened->reset, &model->model, "reset", error) ||
        !(opened->start = signature_output(&opened->reset, "state", 2, any, error)))
        return false;
    size_t size = opened->start->count;
    if (!open_stride(&opened->large, model, "step", size, error) ||
        !open_stride(&opened->small, model, "step1", size, error))
        return false;
    opened->state = calloc(size, sizeof(float));
    return opened->state ? kerasep_stream_reset(opened, error) : kerasep_fail_memory(error);
}

kerasep_stream *kerasep_stream_open(kerasep *model, kerasep_error *error) {
    kerasep_stream *opened = calloc(1, sizeof *opened);
    if (!opened) {
        kerasep_fail_memory(error);
        return NULL;
    }
    if (open_stream(opened, model, error)) return opened;
    kerasep_stream_close(opened);
    return NULL;
}

void kerasep_stream_close(kerasep_stream *stream) {
    if (!stream) return;
    signature_close(&stream->reset);
    signature_close(&stream->large.signature);
    signature_close(&stream->small.signature);
    free(stream->state);
    free(stream);
}

size_t kerasep_stream_hop(const kerasep_stream *stream) { return stream->small.samples; }

bool kerasep_stream_reset(kerasep_stream *stream, kerasep_error *error) {
    return signature_run(&stream->reset, error) && tensor_get(stream->start, stream->state, error);
}

static bool take(stride *with, float *state, const float *mixture, float *sources,
                 kerasep_error *error) {
    return tensor_set(with->mixture, mixture, error) && tensor_set(with->state, state, error) &&
           signature_run(&with->signature, error) && tensor_get(with->sources, sources, error) &&
           tensor_get(with->new_state, state, error);
}

bool kerasep_stream_step(kerasep_stream *stream, const float *mixture, size_t samples,
                         float *sources, kerasep_error *error) {
    size_t channels = stream->about->channels, hop = kerasep_stream_hop(stream);
    if (samples % hop)
        return kerasep_fail(error, "received a block of %zu samples, expected a multiple of %zu",
                            samples, hop);
    for (size_t i = 0; i < samples * channels; i++)
        if (!isfinite(mixture[i]))
            return kerasep_fail(error,
                                "received a block with NaN or infinite samples, expected audio");
    while (samples) {
        stride *with = samples >= stream->large.samples ? &stream->large : &stream->small;
        if (!take(with, stream->state, mixture, sources, error)) return false;
        mixture += with->samples * channels;
        sources += with->samples * channels * stream->about->source_count;
        samples -= with->samples;
    }
    return true;
}
