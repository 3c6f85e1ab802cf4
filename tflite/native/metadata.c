#include "metadata.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "order.h"
#include "residual.h"
#include "strict_json.h"

/* The bounds are those of kerasep/tflite/format/bounds.py: all readers check the same. */
enum { FORMAT = 2, MOST_SOURCES = 64, MOST_CHANNELS = 64, MOST_NAME = 200 };
static const double LEAST_RATE = 1000, MOST_RATE = 768000;
static const double MOST_SAMPLES = 1 << 30, MOST_FRAME = 1 << 20;

/* A whole number within bounds. */
static bool whole(const cJSON *json, const char *key, double least, double most, size_t *value) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    if (!cJSON_IsNumber(item)) return false;
    double number = item->valuedouble;
    if (!(number >= least && number <= most) || number != floor(number)) return false;
    *value = (size_t)number;
    return true;
}

static const cJSON *item_of(const cJSON *json, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(json, key);
}

/* Missing, null, or a whole number within bounds. */
static bool maybe_whole(const cJSON *json, const char *key, double least) {
    size_t value;
    const cJSON *item = item_of(json, key);
    return !item || cJSON_IsNull(item) || whole(json, key, least, MOST_SAMPLES, &value);
}

static bool is_text(const cJSON *item) {
    if (!cJSON_IsString(item)) return false;
    for (const char *at = item->valuestring; *at;) {
        unsigned letter = next_character(&at);
        if (letter < ' ' || (letter >= 0x7F && letter <= 0x9F)) return false;
    }
    return true;
}

static bool maybe_text(const cJSON *json, const char *key) {
    const cJSON *item = item_of(json, key);
    return !item || cJSON_IsNull(item) || is_text(item);
}

/* Without Unicode tables, everything is a letter except signs, spaces, marks and controls. */
static bool is_letter(unsigned letter) {
    static const unsigned OTHERS[][2] = {{0x80, 0xA9},     {0x300, 0x36F},   {0x2000, 0x206F},
                                         {0x3000, 0x3004}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
                                         {0xFFF0, 0xFFFF}};
    if (letter < 0x80)
        return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= 'a' && letter <= 'z');
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (letter >= OTHERS[i][0] && letter <= OTHERS[i][1]) return false;
    return true;
}

/* The name of a source becomes a file name. */
static bool names_a_file(const char *name) {
    bool named = false;
    if (strlen(name) > MOST_NAME) return false;
    while (*name) {
        unsigned letter = next_character(&name);
        if (letter == '_') continue;
        if (!is_letter(letter)) return false;
        named = true;
    }
    return named;
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

static bool parse_texts(const cJSON *json, kerasep_about *about) {
    static const char *const KEYS[] = {"kerasep", "created_by", "weights_sha256",
                                       "preset",  "licence",    "quantization"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (!maybe_text(json, KEYS[i])) return false;
    const cJSON *model = item_of(json, "model");
    if (!is_text(model)) return false;
    about->model = model->valuestring;
    return true;
}

static bool parse_order(const cJSON *json, kerasep_about *about) {
    const cJSON *item = item_of(json, "interchangeable");
    if (item && !cJSON_IsBool(item)) return false;
    about->interchangeable = cJSON_IsTrue(item);
    return !about->interchangeable || about->source_count <= MOST_ORDERED;
}

/* Files of earlier releases do not name the source that stands for the rest. */
static bool parse_residual(const cJSON *json, kerasep_about *about) {
    const cJSON *item = item_of(json, "residual");
    about->residual = -1;
    if (!item && !about->interchangeable)
        about->residual = residual_source(about->sources, about->source_count);
    if (!item || cJSON_IsNull(item)) return true;
    for (size_t i = 0; cJSON_IsString(item) && i < about->source_count; i++)
        if (!strcmp(item->valuestring, about->sources[i])) about->residual = (int)i;
    bool found = about->residual >= 0;
    if (about->interchangeable) about->residual = -1;
    return found;
}

static bool parse_transform(const cJSON *json) {
    size_t value;
    const cJSON *stft = item_of(json, "stft");
    return !stft || cJSON_IsNull(stft) ||
           (cJSON_IsObject(stft) && is_text(item_of(stft, "window")) &&
            whole(stft, "n_fft", 1, MOST_FRAME, &value) &&
            whole(stft, "hop", 1, MOST_FRAME, &value));
}

static bool parse_numbers(const cJSON *json, kerasep_about *about) {
    size_t rate;
    if (!whole(json, "sample_rate", LEAST_RATE, MOST_RATE, &rate)) return false;
    about->sample_rate = (int)rate;
    return whole(json, "channels", 1, MOST_CHANNELS, &about->channels) &&
           whole(json, "hop", 1, MOST_SAMPLES, &about->hop) && maybe_whole(json, "chunk", 1) &&
           maybe_whole(json, "overlap", 0) && maybe_whole(json, "latency", 0) &&
           maybe_whole(json, "frames", 1) && maybe_whole(json, "state", 2);
}

/* Files of an earlier format have no mode: with a timing they are for streams. */
static bool parse_mode(metadata *found) {
    const cJSON *json = found->json, *timing = item_of(json, "timing");
    const char *mode = cJSON_GetStringValue(item_of(json, "mode"));
    bool timed = timing && !cJSON_IsNull(timing);
    kerasep_about *about = &found->about;
    about->streams = mode ? !strcmp(mode, "streaming") : timed;
    if (timed && (!cJSON_IsObject(timing) || !parse_timing(timing, &found->timing))) return false;
    if (timed && item_of(json, "latency")) {
        size_t late = found->timing.lag + found->timing.grain;
        if (!whole(json, "latency", (double)late, (double)late, &about->latency)) return false;
    }
    return about->streams ? timed && item_of(json, "latency") : parse_chunks(json, about);
}

static bool parse(metadata *found) {
    const cJSON *json = found->json;
    return parse_sources(found) && parse_numbers(json, &found->about) &&
           parse_texts(json, &found->about) && parse_order(json, &found->about) &&
           parse_residual(json, &found->about) && parse_transform(json) && parse_mode(found);
}

/* Files of other modes have other signatures; files of earlier releases have no mode. */
static bool of_known_mode(const cJSON *json) {
    const cJSON *mode = item_of(json, "mode");
    const char *name = cJSON_GetStringValue(mode);
    return !mode || (name && (!strcmp(name, "separate") || !strcmp(name, "streaming")));
}

bool metadata_parse(metadata *found, const char *json, size_t bytes, const char *name,
                    kerasep_error *error) {
    *found = (metadata){0};
    if (json_is_strict(json, bytes)) found->json = cJSON_ParseWithLength(json, bytes);
    size_t format = 0;
    bool known = cJSON_IsObject(found->json) && json_is_unique(found->json) &&
                 whole(found->json, "format", 1, 1e9, &format);
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
