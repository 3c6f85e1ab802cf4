/* What a .tflite file says about itself, in JSON under its metadata key "kerasep". */
#ifndef KERASEP_METADATA_H
#define KERASEP_METADATA_H

#include "kerasep.h"

/* How a streamed model takes its samples, as kerasep/streaming/buffering.py says. */
typedef struct timing {
    size_t hop;    /* from frame to frame */
    size_t frame;  /* length of one */
    size_t grain;  /* what the smaller step takes */
    size_t step;   /* what the larger step takes */
    size_t lag;    /* by which what a step gives is behind what it takes */
    size_t silence; /* zeros that come before all else */
    enum { ENDS_MIRROR, ENDS_FILL, ENDS_DROP } ends; /* what becomes of a stream's ends */
} timing;

typedef struct metadata {
    kerasep_about about;
    timing timing;
    const char **sources;
    struct cJSON *json; /* the texts of `about` live here */
} metadata;

/* Read the bytes of the JSON; name: what to call the file in an error. */
bool metadata_parse(metadata *found, const char *json, size_t bytes, const char *name,
                    kerasep_error *error);
void metadata_free(metadata *found);

#endif
