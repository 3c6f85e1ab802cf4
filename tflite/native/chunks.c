#include "chunks.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "order.h"

typedef struct state {
    const chunking *plan;
    size_t step, first, last; /* the fade is from `first` to `last` of what neighbours share */
    size_t frame;             /* numbers of one sample of all sources */
    size_t length;            /* samples read that no chunk is yet made of, but for the overlap */
    bool begun;
    float *held; /* the `step` samples before those, then those */
    float *result;
    float *tail;   /* what is to be faded out */
    float *shared; /* all that the chunk before shares with this one */
} state;

static bool allocate(state *s) {
    const chunking *plan = s->plan;
    size_t most = s->step + plan->chunk + 1;
    s->held = calloc(most, plan->channels * sizeof(float));
    s->result = calloc(plan->chunk, s->frame * sizeof(float));
    s->tail = calloc(s->last - s->first + 1, s->frame * sizeof(float));
    s->shared = calloc(plan->overlap + 1, s->frame * sizeof(float));
    return s->held && s->result && s->tail && s->shared;
}

static void release(state *s) {
    free(s->held);
    free(s->result);
    free(s->tail);
    free(s->shared);
}

/* Fill up a piece that is too short by repeating it. */
static void repeat(float *piece, size_t length, size_t wanted, size_t channels) {
    for (size_t i = length * channels; i < wanted * channels; i++)
        piece[i] = piece[i - length * channels];
}

static void fade(state *s, float *result) {
    size_t span = s->last - s->first;
    for (size_t i = 0; i < span; i++) {
        float rise = ((float)i + 0.5f) / (float)span;
        for (size_t j = i * s->frame; j < (i + 1) * s->frame; j++) {
            float *to = result + s->first * s->frame + j;
            *to = s->tail[j] + (*to - s->tail[j]) * rise;
        }
    }
}

/* A chunk with samples beyond it: write the final part, and keep what the next chunk needs. */
static bool inner_chunk(state *s, kerasep_write write, void *context, kerasep_error *error) {
    const chunking *plan = s->plan;
    size_t begin = s->begun ? s->first : 0, end = s->step + s->first;
    if (!write(context, s->result + begin * s->frame, end - begin, error)) return false;
    memcpy(s->tail, s->result + end * s->frame, (s->last - s->first) * s->frame * sizeof(float));
    memcpy(s->shared, s->result + s->step * s->frame, plan->overlap * s->frame * sizeof(float));
    size_t kept = s->length; /* `step` samples replace those held before */
    memmove(s->held, s->held + s->step * plan->channels, kept * plan->channels * sizeof(float));
    s->length -= s->step;
    s->begun = true;
    return true;
}

/* Process the waiting samples; the last ones with enough before them to fill a chunk. */
static bool next_chunk(state *s, bool final, chunk_process process, void *process_context,
                       kerasep_write write, void *context, kerasep_error *error) {
    const chunking *plan = s->plan;
    size_t early = 0, length = final ? s->length : plan->chunk;
    if (final && s->begun) early = (plan->chunk - length) / plan->hop * plan->hop;
    float *piece = s->held + (s->step - early) * plan->channels;
    repeat(piece, early + length, plan->chunk, plan->channels);
    if (!process(process_context, piece, s->result, error)) return false;
    float *result = s->result + early * s->frame;
    if (s->begun) {
        if (plan->reorder)
            order_like(s->shared, plan->overlap * plan->channels, result, length * plan->channels,
                       plan->sources);
        fade(s, result);
    }
    if (!final) return inner_chunk(s, write, context, error);
    size_t begin = s->begun ? s->first : 0;
    return write(context, result + begin * s->frame, length - begin, error);
}

static bool run(state *s, chunk_process process, void *process_context, kerasep_read read,
                kerasep_write write, void *context, kerasep_error *error) {
    const chunking *plan = s->plan;
    for (;;) {
        /* A chunk is the last one unless there is a sample beyond it. */
        size_t wanted = plan->chunk + 1 - s->length, given;
        float *to = s->held + (s->step + s->length) * plan->channels;
        if (!read(context, to, wanted, &given, error)) return false;
        s->length += given;
        bool final = s->length <= plan->chunk;
        if (final && !s->length) return true;
        if (!next_chunk(s, final, process, process_context, write, context, error)) return false;
        if (final) return true;
    }
}

bool chunks_crossfaded(const chunking *plan, chunk_process process, void *process_context,
                       kerasep_read read, kerasep_write write, void *context,
                       kerasep_error *error) {
    state s = {.plan = plan, .step = plan->chunk - plan->overlap};
    s.first = plan->overlap / 4;
    s.last = plan->overlap - plan->overlap / 4;
    s.frame = plan->channels * plan->sources;
    bool done = allocate(&s)
                    ? run(&s, process, process_context, read, write, context, error)
                    : kerasep_fail_memory(error);
    release(&s);
    return done;
}
