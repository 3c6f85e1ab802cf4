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
    timing timing;
    size_t margin; /* samples that are mirrored at each end */
    size_t skip;   /* samples that the steps give before the first one of the stream */
    signature reset;
    tensor *start;
    stride large, small;
    float *state, *sources;
    float *pending, *recent; /* what waits for a step; what is mirrored */
    size_t pending_count, recent_count;
    bool begun;
    uint64_t taken;   /* samples of the stream */
    uint64_t stepped; /* that went into steps, the ones before the stream too */
};

/* Index in the state of the number of frames still to come. */
enum { LEFT = 1 };

static bool open_stride(stride *opened, kerasep *model, const char *key, size_t samples,
                        size_t size, kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    signature *of = &opened->signature;
    size_t mixture[] = {1, samples, about->channels}, state[] = {1, size};
    size_t sources[] = {1, samples, about->channels, about->source_count};
    opened->samples = samples;
    return signature_open(of, &model->model, key, 2, 2, error) &&
           (opened->mixture = signature_input(of, "mixture", 3, mixture, error)) &&
           (opened->state = signature_input(of, "state", 2, state, error)) &&
           (opened->sources = signature_output(of, "sources", 4, sources, error)) &&
           (opened->new_state = signature_output(of, "state", 2, state, error));
}

static bool start_anew(kerasep_stream *stream, kerasep_error *error) {
    size_t channels = stream->about->channels;
    stream->taken = stream->stepped = 0;
    stream->recent_count = 0;
    stream->begun = !stream->margin;
    stream->pending_count = stream->timing.silence;
    memset(stream->pending, 0, stream->pending_count * channels * sizeof(float));
    return signature_run(&stream->reset, error) && tensor_get(stream->start, stream->state, error);
}

static bool allocate(kerasep_stream *stream) {
    const timing *timing = &stream->timing;
    size_t channels = stream->about->channels, size = stream->start->count;
    /* Before a block's part is added, less than a step waits; at the end, less than a grain. */
    size_t most = 2 * (timing->step + stream->margin) + timing->silence + timing->hop +
                  stream->skip + timing->grain;
    stream->state = calloc(size, sizeof(float));
    stream->sources = calloc(stream->large.sources->count, sizeof(float));
    stream->pending = calloc(most, channels * sizeof(float));
    stream->recent = calloc(stream->margin + timing->step + 1, channels * sizeof(float));
    return stream->state && stream->sources && stream->pending && stream->recent;
}

static bool open_stream(kerasep_stream *opened, kerasep *model, kerasep_error *error) {
    size_t any[] = {1, 0};
    const timing *timing = &model->metadata.timing;
    opened->about = kerasep_describe(model);
    if (!opened->about->streams)
        return kerasep_fail(error, "received %s, which cannot stream: export a causal model for it",
                            model->model.path);
    opened->timing = *timing;
    opened->margin = timing->ends == ENDS_MIRROR ? timing->frame / 2 : 0;
    opened->skip = timing->lag + timing->silence + opened->margin;
    if (!signature_open(&opened->reset, &model->model, "reset", 0, 1, error) ||
        !(opened->start = signature_output(&opened->reset, "state", 2, any, error)))
        return false;
    size_t size = opened->start->count;
    if (size <= LEFT)
        return kerasep_fail(error, "received %s, whose state is too small: export again",
                            model->model.path);
    return open_stride(&opened->large, model, "step", timing->step, size, error) &&
           open_stride(&opened->small, model, "step1", timing->grain, size, error) &&
           (allocate(opened) ? start_anew(opened, error) : kerasep_fail_memory(error));
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
    free(stream->sources);
    free(stream->pending);
    free(stream->recent);
    free(stream);
}

/* Append samples to those that wait; NULL: zeros. */
static void pend(kerasep_stream *stream, const float *samples, size_t count) {
    size_t channels = stream->about->channels;
    float *to = stream->pending + stream->pending_count * channels;
    if (samples)
        memcpy(to, samples, count * channels * sizeof(float));
    else
        memset(to, 0, count * channels * sizeof(float));
    stream->pending_count += count;
}

/* Append the mirror image of `count` recent samples, of which the first given is at `from`. */
static void pend_mirrored(kerasep_stream *stream, size_t from, size_t count) {
    for (size_t i = 0; i < count; i++)
        pend(stream, stream->recent + (from - i) * stream->about->channels, 1);
}

/* Add samples of the stream, and mirror its start as soon as there are enough. */
static void push(kerasep_stream *stream, const float *samples, size_t count) {
    size_t channels = stream->about->channels, margin = stream->margin;
    if (margin) {
        float *to = stream->recent + stream->recent_count * channels;
        memcpy(to, samples, count * channels * sizeof(float));
        stream->recent_count += count;
    }
    if (stream->begun) {
        pend(stream, samples, count);
    } else if (stream->recent_count > margin) {
        pend_mirrored(stream, margin, margin);
        pend(stream, stream->recent, stream->recent_count);
        stream->begun = true;
    }
    if (stream->begun && stream->recent_count > margin + 1) {
        size_t gone = stream->recent_count - margin - 1;
        memmove(stream->recent, stream->recent + gone * channels,
                (margin + 1) * channels * sizeof(float));
        stream->recent_count = margin + 1;
    }
}

/* Write a step's output, except before the stream's first sample or after its last. */
static bool pass_on(kerasep_stream *stream, size_t samples, kerasep_write write, void *context,
                    kerasep_error *error) {
    uint64_t end = stream->skip + stream->taken, at = stream->stepped, first = at, last;
    stream->stepped += samples;
    if (first < stream->skip) first = stream->skip;
    last = stream->stepped < end ? stream->stepped : end;
    if (first >= last) return true;
    size_t frame = stream->about->channels * stream->about->source_count;
    return write(context, stream->sources + (size_t)(first - at) * frame, (size_t)(last - first),
                 error);
}

static bool run_step(kerasep_stream *stream, stride *with, kerasep_write write, void *context,
                     kerasep_error *error) {
    size_t channels = stream->about->channels;
    if (!tensor_set(with->mixture, stream->pending, error) ||
        !tensor_set(with->state, stream->state, error) ||
        !signature_run(&with->signature, error) ||
        !tensor_get_finite(&with->signature, with->sources, stream->sources, error) ||
        !tensor_get(with->new_state, stream->state, error))
        return false;
    stream->pending_count -= with->samples;
    memmove(stream->pending, stream->pending + with->samples * channels,
            stream->pending_count * channels * sizeof(float));
    return pass_on(stream, with->samples, write, context, error);
}

static bool run_steps(kerasep_stream *stream, stride *with, kerasep_write write, void *context,
                      kerasep_error *error) {
    while (stream->pending_count >= with->samples)
        if (!run_step(stream, with, write, context, error)) return false;
    return true;
}

bool kerasep_stream_process(kerasep_stream *stream, const float *mixture, size_t samples,
                            kerasep_write write, void *context, kerasep_error *error) {
    size_t channels = stream->about->channels;
    for (size_t i = 0; i < samples * channels; i++)
        if (!isfinite(mixture[i]))
            return kerasep_fail(error,
                                "received a block with NaN or infinite samples, expected audio");
    while (samples) {
        size_t part = samples < stream->timing.step ? samples : stream->timing.step;
        stream->taken += part;
        push(stream, mixture, part);
        if (!run_steps(stream, &stream->large, write, context, error)) return false;
        mixture += part * channels;
        samples -= part;
    }
    return run_steps(stream, &stream->small, write, context, error);
}

/* Fill up what waits so that the steps give the rest, and tell the model where the stream ends. */
static bool finish(kerasep_stream *stream, kerasep_write write, void *context,
                   kerasep_error *error) {
    const timing *timing = &stream->timing;
    uint64_t samples = stream->taken, hop = timing->hop, filled = samples, frames;
    if (timing->ends == ENDS_MIRROR && 2 * hop > timing->frame)
        filled = (samples + hop - 1) / hop * hop;
    if (filled <= stream->margin)
        return kerasep_fail(error, "received a stream of %llu samples, expected at least %zu",
                            (unsigned long long)samples, stream->margin + 1);
    static const float ZEROS[64];
    for (uint64_t i = samples; i < filled; i++) push(stream, ZEROS, 1);
    if (stream->margin) pend_mirrored(stream, stream->margin - 1, stream->margin);
    uint64_t beyond = samples > timing->frame ? samples - timing->frame : 0;
    if (timing->ends == ENDS_MIRROR)
        frames = 1 + filled / hop;
    else
        frames = 1 + (beyond + (timing->ends == ENDS_FILL ? hop - 1 : 0)) / hop;
    double done = ((double)stream->stepped - (double)timing->silence) / (double)hop;
    stream->state[LEFT] = (float)((double)frames - floor(done));
    uint64_t needed = (stream->skip + samples + timing->grain - 1) / timing->grain * timing->grain;
    uint64_t there = stream->stepped + stream->pending_count;
    if (needed > there) pend(stream, NULL, (size_t)(needed - there));
    return run_steps(stream, &stream->large, write, context, error) &&
           run_steps(stream, &stream->small, write, context, error);
}

bool kerasep_stream_flush(kerasep_stream *stream, kerasep_write write, void *context,
                          kerasep_error *error) {
    kerasep_error ignored;
    bool done = !stream->taken || finish(stream, write, context, error);
    return start_anew(stream, done ? error : &ignored) && done;
}
