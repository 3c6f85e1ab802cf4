#include "resampled.h"

#include <soxr.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "queue.h"

enum { BLOCK = 4096 };

typedef struct resampling {
    const kerasep_about *about;
    size_t channels;
    size_t lanes; /* the sources, and the mixture if a residual is added */
    kerasep_read read;
    kerasep_write write;
    void *context;
    soxr_t down, up;
    float *block;  /* of the recording */
    float *result; /* BLOCK samples of all lanes */
    queue mixture; /* read, and not yet written */
    uint64_t taken, written;
    bool begun, failed;
    kerasep_error *error;
} resampling;

static soxr_t resampler(int rate, int new_rate, size_t lanes) {
    soxr_io_spec_t floats = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    return soxr_create(rate, new_rate, (unsigned)lanes, NULL, &floats, &quality, NULL);
}

/* What soxr calls for the next samples of the recording. */
static size_t next_block(void *context, soxr_in_t *samples, size_t wanted) {
    resampling *r = context;
    size_t given = 0, most = wanted < BLOCK ? wanted : BLOCK;
    *samples = r->block;
    if (!r->read(r->context, r->block, most, &given, r->error) ||
        (r->lanes > r->about->source_count &&
         !queue_push(&r->mixture, r->block, given * r->channels, r->error))) {
        r->failed = true;
        *samples = NULL;
        return 0;
    }
    r->taken += given;
    return given;
}

static bool read_low(void *context, float *mixture, size_t samples, size_t *given,
                     kerasep_error *error) {
    resampling *r = context;
    *given = soxr_output(r->down, mixture, samples);
    if (r->failed) return false;
    if (soxr_error(r->down)) return kerasep_fail_memory(error);
    if (!*given && !r->begun && r->taken) { /* a recording never disappears */
        memset(mixture, 0, r->channels * sizeof(float));
        *given = 1;
    }
    r->begun = true;
    return true;
}

/* Write samples of all lanes at the recording's rate, not more than were read. */
static bool write_result(resampling *r, size_t samples, kerasep_error *error) {
    size_t names = r->about->source_count, lanes = r->lanes;
    if (samples > r->taken - r->written) samples = (size_t)(r->taken - r->written);
    if (!samples) return true;
    if (lanes > names) {
        const float *mixture = queue_front(&r->mixture);
        for (size_t i = 0; i < samples * r->channels; i++) {
            float *to = r->result + i * names;
            float within = r->result[i * lanes + names];
            memmove(to, r->result + i * lanes, names * sizeof(float));
            to[r->about->residual] += mixture[i] - within;
        }
        queue_pop(&r->mixture, samples * r->channels);
    }
    r->written += samples;
    return r->write(r->context, r->result, samples, error);
}

/* low: samples at the model's rate; NULL: the rest of what the resampler holds. */
static bool resample_up(resampling *r, const float *low, size_t samples, kerasep_error *error) {
    size_t made;
    do {
        if (soxr_process(r->up, low, low ? samples : 0, NULL, r->result, BLOCK, &made))
            return kerasep_fail_memory(error);
        samples = 0;
        if (!write_result(r, made, error)) return false;
    } while (made);
    return true;
}

static bool write_low(void *context, const float *sources, size_t samples, kerasep_error *error) {
    return resample_up(context, sources, samples, error);
}

/* Resampling there and back rounds the length twice. */
static bool fill_up(resampling *r, kerasep_error *error) {
    while (r->written < r->taken) {
        memset(r->result, 0, BLOCK * r->channels * r->lanes * sizeof(float));
        if (!write_result(r, BLOCK, error)) return false;
    }
    return true;
}

static bool allocate(resampling *r, int rate) {
    size_t lanes = r->channels * r->lanes;
    r->block = calloc(BLOCK, r->channels * sizeof(float));
    r->result = calloc(BLOCK, lanes * sizeof(float));
    r->down = resampler(rate, r->about->sample_rate, r->channels);
    r->up = resampler(r->about->sample_rate, rate, lanes);
    return r->block && r->result && r->down && r->up &&
           !soxr_set_input_fn(r->down, next_block, r, BLOCK);
}

static void release(resampling *r) {
    if (r->down) soxr_delete(r->down);
    if (r->up) soxr_delete(r->up);
    queue_free(&r->mixture);
    free(r->block);
    free(r->result);
}

bool separate_resampled(kerasep *model, const kerasep_format *format, separation separate,
                        kerasep_read read, kerasep_write write, void *context,
                        kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    bool full = about->residual >= 0 && !format->model_band;
    resampling r = {.about = about, .channels = format->channels, .read = read, .write = write};
    r.lanes = about->source_count + (full ? 1 : 0);
    r.context = context;
    r.error = error;
    bool done = allocate(&r, format->sample_rate) || kerasep_fail_memory(error);
    done = done && separate(model, format->channels, full, read_low, write_low, &r, error) &&
           resample_up(&r, NULL, 0, error) && fill_up(&r, error);
    release(&r);
    return done;
}
