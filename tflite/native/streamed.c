#include "streamed.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "queue.h"

enum { BLOCK = 1024 };

/* A stream for each group of the channels that the model takes; the last channel is repeated. */
typedef struct streamed {
    const kerasep_about *about;
    size_t channels, group_count, lanes;
    kerasep_stream **streams;
    queue *ready; /* output of each stream */
    queue mixture;
    float *block, *group, *result;
} streamed;

static bool keep(void *context, const float *sources, size_t samples, kerasep_error *error) {
    streamed *s = ((void **)context)[0];
    queue *ready = ((void **)context)[1];
    return queue_push(ready, sources, samples * s->about->channels * s->about->source_count, error);
}

/* samples: 0 at the end of the recording. */
static bool process_group(streamed *s, size_t index, size_t samples, kerasep_error *error) {
    size_t taken = s->about->channels;
    void *context[] = {s, &s->ready[index]};
    for (size_t i = 0; i < samples; i++)
        for (size_t c = 0; c < taken; c++) {
            size_t from = index * taken + c;
            if (from >= s->channels) from = s->channels - 1;
            s->group[i * taken + c] = s->block[i * s->channels + from];
        }
    return samples ? kerasep_stream_process(s->streams[index], s->group, samples, keep, context,
                                            error)
                   : kerasep_stream_flush(s->streams[index], keep, context, error);
}

/* Interleave what all streams have ready. */
static bool write_ready(streamed *s, kerasep_write write, void *context, kerasep_error *error) {
    size_t taken = s->about->channels, names = s->about->source_count, frame = taken * names;
    while (s->ready[0].count) {
        size_t samples = s->ready[0].count / frame;
        if (samples > BLOCK) samples = BLOCK;
        for (size_t c = 0; c < s->channels; c++) {
            const float *from = queue_front(&s->ready[c / taken]) + c % taken * names;
            for (size_t i = 0; i < samples; i++) {
                float *to = s->result + (i * s->channels + c) * s->lanes;
                memcpy(to, from + i * frame, names * sizeof(float));
                if (s->lanes > names) to[names] = queue_front(&s->mixture)[i * s->channels + c];
            }
        }
        for (size_t i = 0; i < s->group_count; i++) queue_pop(&s->ready[i], samples * frame);
        if (s->lanes > names) queue_pop(&s->mixture, samples * s->channels);
        if (!write(context, s->result, samples, error)) return false;
    }
    return true;
}

static bool run(streamed *s, kerasep_read read, kerasep_write write, void *context,
                kerasep_error *error) {
    for (size_t given = BLOCK; given == BLOCK;) {
        if (!read(context, s->block, BLOCK, &given, error)) return false;
        if (s->lanes > s->about->source_count &&
            !queue_push(&s->mixture, s->block, given * s->channels, error))
            return false;
        for (size_t i = 0; given && i < s->group_count; i++)
            if (!process_group(s, i, given, error)) return false;
        if (!write_ready(s, write, context, error)) return false;
    }
    for (size_t i = 0; i < s->group_count; i++)
        if (!process_group(s, i, 0, error)) return false;
    return write_ready(s, write, context, error);
}

static bool allocate(streamed *s, kerasep *model, kerasep_error *error) {
    s->streams = calloc(s->group_count, sizeof *s->streams);
    s->ready = calloc(s->group_count, sizeof *s->ready);
    s->block = calloc(BLOCK, s->channels * sizeof(float));
    s->group = calloc(BLOCK, s->about->channels * sizeof(float));
    s->result = calloc(BLOCK, s->channels * s->lanes * sizeof(float));
    if (!s->streams || !s->ready || !s->block || !s->group || !s->result)
        return kerasep_fail_memory(error);
    for (size_t i = 0; i < s->group_count; i++)
        if (!(s->streams[i] = kerasep_stream_open(model, error))) return false;
    return true;
}

static void release(streamed *s) {
    for (size_t i = 0; s->streams && i < s->group_count; i++) kerasep_stream_close(s->streams[i]);
    for (size_t i = 0; s->ready && i < s->group_count; i++) queue_free(&s->ready[i]);
    queue_free(&s->mixture);
    free(s->streams);
    free(s->ready);
    free(s->block);
    free(s->group);
    free(s->result);
}

bool separate_streamed(kerasep *model, size_t channels, bool with_mixture, kerasep_read read,
                       kerasep_write write, void *context, kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    streamed s = {.about = about, .channels = channels};
    s.group_count = (channels + about->channels - 1) / about->channels;
    s.lanes = about->source_count + (with_mixture ? 1 : 0);
    bool done = allocate(&s, model, error) && run(&s, read, write, context, error);
    release(&s);
    return done;
}
