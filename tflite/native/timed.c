#include "timed.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "error.h"

static double milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

typedef struct noise_left {
    uint32_t state;
    size_t channels, left;
} noise_left;

static bool noise(void *context, float *mixture, size_t samples, size_t *given,
                  kerasep_error *error) {
    noise_left *s = context;
    (void)error;
    *given = samples < s->left ? samples : s->left;
    for (size_t i = 0; i < *given * s->channels; i++) {
        s->state = s->state * 1664525u + 1013904223u;
        mixture[i] = (float)(s->state >> 8) / (float)(1 << 24) * 0.2f - 0.1f;
    }
    s->left -= *given;
    return true;
}

static bool forget(void *context, const float *sources, size_t samples, kerasep_error *error) {
    (void)context, (void)sources, (void)samples, (void)error;
    return true;
}

/* The count of Linux: getrusage begins with the memory of the starting process. */
static bool most_memory(long *kibibytes) {
    char line[128];
    bool found = false;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && !found && fgets(line, sizeof line, file))
        found = sscanf(line, "VmHWM: %ld kB", kibibytes) == 1;
    if (file) fclose(file);
    struct rusage usage;
    if (!found && !getrusage(RUSAGE_SELF, &usage)) {
        *kibibytes = usage.ru_maxrss;
        found = true;
    }
    return found;
}

bool timed_chunks(kerasep *model, int runs, kerasep_error *error) {
    const kerasep_about *about = kerasep_describe(model);
    const kerasep_format format = {.channels = about->channels};
    for (int run = 0; run <= runs; run++) {
        noise_left s = {(uint32_t)run, about->channels, about->chunk};
        double begin = milliseconds();
        if (!kerasep_separate_blocks(model, &format, noise, forget, &s, error))
            return false;
        if (run) printf("%.3f\n", milliseconds() - begin);
    }
    long peak;
    if (!most_memory(&peak))
        return kerasep_fail(error, "the system does not say how much memory was taken");
    printf("peak %ld KiB\n", peak);
    return true;
}
