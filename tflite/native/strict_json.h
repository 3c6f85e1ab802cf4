/* JSON that parsers of every language read the same way; cJSON accepts more. */
#ifndef KERASEP_STRICT_JSON_H
#define KERASEP_STRICT_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

/* Whether bytes are JSON as RFC 8259 has it: UTF-8, of at most 1 MiB, 16 levels, and 63
 * letters in a number, without NUL or half a surrogate pair in a text. */
bool json_is_strict(const char *json, size_t bytes);
/* Whether no object has a key twice. */
bool json_is_unique(const struct cJSON *json);
/* Read the character that begins at a text of valid UTF-8, and go on to the next. */
unsigned next_character(const char **text);

#endif
