#include "metadata.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

enum { FORMAT = 2, MOST_SOURCES = 64, MOST_CHANNELS = 64 };
static const double MOST_SAMPLES = 1 << 30, MOST_FRAME = 1 << 22;

/* A whole number within bounds. */
static bool whole(const cJSON *json, const char *key, double least, double most, size_t *value) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    if (!cJSON_IsNumber(item)) return false;
    double number = item->valuedouble;
    if (!(number >= least && number <= most) || number != floor(number)) return false;
    *value = (size_t)number;
    return true;
}

/* A source names a file, in whatever folder it is asked for. */
static bool names_a_file(const char *name) {
    if (!*name || *name == '.' || strlen(name) > 200) return false;
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == '/' || *name == '\\') return false;
    return true;
}

static bool parse_sources(metadata *found) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(found->json, "sources");
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (count < 1 || count > MOST_SOURCES) return false;
    found->sources = calloc((size_t)count, sizeof *found->sources);
    if (!found->sources) return false;
    const cJSON *item;
    size_t index = 0;
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsString(item) || !names_a_file(item->valuestring)) return false;
        for (size_t other = 0; other < index; other++)
            if (!strcmp(found->sources[other], item->valuestring)) return false;
        found->sources[index++] = item->valuestring;
    }
    found->about.sources = found->sources;
    found->about.source_count = index;
    return true;
}

static bool parse_chunks(const cJSON *json, kerasep_about *about) {
    if (!whole(json, "chunk", 1, MOST_SAMPLES, &about->chunk) ||
        !whole(json, "hop", 1, (double)about->chunk, &about->hop) ||
        !whole(json, "overlap", 0, (double)(about->chunk / 2), &about->overlap) ||
        about->chunk % about->hop)
        return false;
    about->overlap = (about->overlap + about->hop - 1) / about->hop * about->hop;
    return about->overlap <= about->chunk / 2;
}

static bool parse_timing(const cJSON *json, timing *of) {
    static const char *const ENDS[] = {"mirror", "fill", "drop"};
    if (!whole(json, "hop", 1, MOST_FRAME, &of->hop) ||
        !whole(json, "frame", 1, MOST_FRAME, &of->frame) ||
        !whole(json, "grain", 1, MOST_FRAME, &of->grain) ||
        !whole(json, "step", (double)of->grain, MOST_FRAME, &of->step) ||
        !whole(json, "lag", 0, MOST_FRAME, &of->lag) ||
        !whole(json, "silence", 0, MOST_FRAME, &of->silence) || of->grain % of->hop ||
        of->step % of->grain)
        return false;
    const char *ends = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "ends"));
    for (int i = ENDS_MIRROR; ends && i <= ENDS_DROP; i++)
        if (!strcmp(ends, ENDS[i])) {
            of->ends = i;
            return true;
        }
    return false;
}

static bool parse_numbers(metadata *found) {
    const cJSON *json = found->json, *timing = cJSON_GetObjectItemCaseSensitive(json, "timing");
    kerasep_about *about = &found->about;
    size_t rate;
    if (!whole(json, "sample_rate", 1, 1e7, &rate)) return false;
    about->sample_rate = (int)rate;
    if (!whole(json, "channels", 1, MOST_CHANNELS, &about->channels)) return false;
    about->streams = cJSON_IsObject(timing);
    if (!about->streams) return parse_chunks(json, about);
    return whole(json, "latency", 0, MOST_SAMPLES, &about->latency) &&
           parse_timing(timing, &found->timing);
}

static bool parse(metadata *found) {
    if (!cJSON_IsObject(found->json) || !parse_sources(found) || !parse_numbers(found))
        return false;
    found->about.model =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(found->json, "model"));
    found->about.interchangeable =
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(found->json, "interchangeable"));
    return found->about.model != NULL;
}

/* Files of other modes hold other signatures; files of earlier releases do not say. */
static bool of_known_mode(const cJSON *json) {
    const cJSON *mode = cJSON_GetObjectItemCaseSensitive(json, "mode");
    const char *name = cJSON_GetStringValue(mode);
    return !mode || (name && (!strcmp(name, "separate") || !strcmp(name, "streaming")));
}

bool metadata_parse(metadata *found, const char *json, size_t bytes, const char *name,
                    kerasep_error *error) {
    *found = (metadata){.json = cJSON_ParseWithLength(json, bytes)};
    size_t format = 0;
    bool known = whole(found->json, "format", 0, 1e9, &format);
    if (known && format > FORMAT)
        kerasep_fail(error,
                     "received %s, written in a later format (%zu, expected %d): update kerasep",
                     name, format, FORMAT);
    else if (known && !of_known_mode(found->json))
        kerasep_fail(error,
                     "received %s, which holds no whole separator: export it in the mode separate "
                     "or streaming",
                     name);
    else if (known && parse(found))
        return true;
    else
        kerasep_fail(error, "received %s, a TFLite file whose metadata is damaged: export again",
                     name);
    metadata_free(found);
    return false;
}

void metadata_free(metadata *found) {
    cJSON_Delete(found->json);
    free(found->sources);
    *found = (metadata){0};
}
