/* The metadata of a .tflite file: JSON under its metadata key "kerasep". */
#ifndef KERASEP_METADATA_H
#define KERASEP_METADATA_H

#include "kerasep.h"

/* How a streamed model takes its samples, as in kerasep/streaming/buffering.py. */
typedef struct timing {
    size_t hop;    /* from frame to frame */
    size_t frame;  /* length of one */
    size_t grain;  /* samples of the smaller step */
    size_t step;   /* samples of the larger step */
    size_t lag;    /* delay of a step's output */
    size_t silence; /* zeros before the stream */
    enum { ENDS_MIRROR, ENDS_FILL, ENDS_DROP } ends; /* how the ends of a stream are treated */
} timing;

typedef struct metadata {
    kerasep_about about;
    timing timing;
    const char **sources;
    struct cJSON *json; /* owns the texts of `about` */
} metadata;

/* Read the bytes of the JSON; name: what to call the file in an error. */
bool metadata_parse(metadata *found, const char *json, size_t bytes, const char *name,
                    kerasep_error *error);
void metadata_free(metadata *found);

#endif
