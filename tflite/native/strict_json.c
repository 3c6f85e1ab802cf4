#include "strict_json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 20, MOST_DEPTH = 16, MOST_NUMBER = 63 };

typedef struct cursor {
    const unsigned char *at, *end;
    int depth;
} cursor;

static bool taken(cursor *c, char letter) {
    if (c->at == c->end || *c->at != (unsigned char)letter) return false;
    c->at++;
    return true;
}

static void skip_spaces(cursor *c) {
    while (taken(c, ' ') || taken(c, '\t') || taken(c, '\n') || taken(c, '\r')) continue;
}

static bool digits(cursor *c) {
    const unsigned char *from = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') c->at++;
    return c->at > from;
}

static bool number(cursor *c) {
    const unsigned char *from = c->at;
    (void)taken(c, '-');
    if (!taken(c, '0') && !digits(c)) return false;
    if (taken(c, '.') && !digits(c)) return false;
    if (taken(c, 'e') || taken(c, 'E')) {
        if (!taken(c, '+')) (void)taken(c, '-');
        if (!digits(c)) return false;
    }
    return c->at - from <= MOST_NUMBER;
}

static bool word(cursor *c, const char *letters) {
    while (*letters)
        if (!taken(c, *letters++)) return false;
    return true;
}

static bool hexadecimal(cursor *c, unsigned *unit) {
    if (!taken(c, 'u') || c->end - c->at < 4) return false;
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        static const char DIGITS[] = "0123456789abcdef";
        unsigned char letter = *c->at++;
        if (letter >= 'A' && letter <= 'F') letter += 'a' - 'A';
        const char *digit = letter ? strchr(DIGITS, letter) : NULL;
        if (!digit) return false;
        *unit = *unit << 4 | (unsigned)(digit - DIGITS);
    }
    return true;
}

static bool escape(cursor *c) {
    unsigned unit, second;
    if (c->at == c->end) return false;
    if (*c->at != 'u') return *c->at && strchr("\"\\/bfnrt", *c->at++);
    if (!hexadecimal(c, &unit) || !unit) return false;
    if (unit < 0xD800 || unit > 0xDFFF) return true;
    return unit < 0xDC00 && taken(c, '\\') && hexadecimal(c, &second) && second >= 0xDC00 &&
           second <= 0xDFFF;
}

/* One character of several bytes. */
static bool wide(cursor *c) {
    unsigned char first = *c->at++;
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC2 || first > 0xF4 || c->end - c->at < more) return false;
    unsigned code = first & (0x3Fu >> more);
    for (int i = 0; i < more; i++) {
        if ((*c->at & 0xC0) != 0x80) return false;
        code = code << 6 | (*c->at++ & 0x3F);
    }
    static const unsigned LEAST[] = {0x80, 0x800, 0x10000};
    return code >= LEAST[more - 1] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

static bool text(cursor *c) {
    if (!taken(c, '"')) return false;
    while (c->at < c->end) {
        if (taken(c, '"')) return true;
        if (taken(c, '\\') ? !escape(c) : *c->at < ' ' || (*c->at < 0x80 ? !c->at++ : !wide(c)))
            return false;
    }
    return false;
}

static bool value(cursor *c);

/* What is between brackets: pairs or values. */
static bool members(cursor *c, bool pairs, char close) {
    if (++c->depth > MOST_DEPTH) return false;
    skip_spaces(c);
    if (!taken(c, close)) {
        do {
            skip_spaces(c);
            if (pairs && !text(c)) return false;
            skip_spaces(c);
            if ((pairs && !taken(c, ':')) || !value(c)) return false;
        } while (taken(c, ','));
        if (!taken(c, close)) return false;
    }
    c->depth--;
    return true;
}

static bool value(cursor *c) {
    skip_spaces(c);
    if (c->at == c->end) return false;
    bool good;
    switch (*c->at) {
        case '{': c->at++; good = members(c, true, '}'); break;
        case '[': c->at++; good = members(c, false, ']'); break;
        case '"': good = text(c); break;
        case 't': good = word(c, "true"); break;
        case 'f': good = word(c, "false"); break;
        case 'n': good = word(c, "null"); break;
        default: good = number(c);
    }
    skip_spaces(c);
    return good;
}

bool json_is_strict(const char *json, size_t bytes) {
    const unsigned char *at = (const unsigned char *)json;
    cursor c = {at, at + bytes, 0};
    return bytes <= MOST_BYTES && value(&c) && c.at == c.end;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool different_keys(const cJSON *object) {
    size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
    const char **keys = malloc((count + 1) * sizeof *keys);
    if (!keys) return false;
    const cJSON *item;
    cJSON_ArrayForEach(item, object) keys[i++] = item->string;
    qsort(keys, count, sizeof *keys, compare);
    bool different = true;
    for (i = 1; i < count; i++) different = different && strcmp(keys[i - 1], keys[i]);
    free(keys);
    return different;
}

bool json_is_unique(const cJSON *json) {
    if (cJSON_IsObject(json) && !different_keys(json)) return false;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) if (!json_is_unique(item)) return false;
    return true;
}

unsigned next_character(const char **text) {
    unsigned char first = (unsigned char)*(*text)++;
    if (first < 0x80) return first;
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    unsigned code = first & (0x3Fu >> more);
    while (more--) code = code << 6 | ((unsigned char)*(*text)++ & 0x3F);
    return code;
}
