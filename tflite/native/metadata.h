/* What a .tflite file says about itself, in JSON under its metadata key "kerasep". */
#ifndef KERASEP_METADATA_H
#define KERASEP_METADATA_H

#include "kerasep.h"

typedef struct metadata {
    kerasep_about about;
    const char **sources;
    struct cJSON *json; /* the texts of `about` live here */
} metadata;

/* Read the bytes of the JSON; name: what to call the file in an error. */
bool metadata_parse(metadata *found, const char *json, size_t bytes, const char *name,
                    kerasep_error *error);
void metadata_free(metadata *found);

#endif
