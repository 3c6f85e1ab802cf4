/* A .tflite file in LiteRT: its metadata, its signatures, and their tensors by name. */
#ifndef KERASEP_MODEL_H
#define KERASEP_MODEL_H

#include "kerasep.h"
#include "litert.h"

enum { MOST_TENSORS = 2 };

typedef struct model {
    char *path;
    void *bytes; /* of the file, mapped */
    size_t size;
    LiteRtEnvironment environment;
    LiteRtModel file;
    LiteRtCompiledModel compiled;
} model;

/* One of float numbers. */
typedef struct tensor {
    const char *name;
    size_t rank;
    int32_t shape[8];
    size_t count; /* of all its numbers */
    LiteRtTensorBuffer buffer;
} tensor;

typedef struct signature {
    model *model;
    size_t index;
    size_t input_count, output_count;
    tensor inputs[MOST_TENSORS], outputs[MOST_TENSORS];
} signature;

/* Close it even if this fails. */
bool model_open(model *opened, const char *path, int threads, kerasep_error *error);
void model_close(model *opened);
/* Find the JSON that kerasep wrote. */
bool model_metadata(model *opened, const char **json, size_t *bytes, kerasep_error *error);

bool model_has(model *opened, const char *key);
/* Prepare a signature with this many tensors. */
bool signature_open(signature *opened, model *of, const char *key, size_t inputs, size_t outputs,
                    kerasep_error *error);
void signature_close(signature *opened);
/* Find a tensor by name, and check its shape (0: any size); NULL if it differs. */
tensor *signature_input(signature *of, const char *name, size_t rank, const size_t *shape,
                        kerasep_error *error);
tensor *signature_output(signature *of, const char *name, size_t rank, const size_t *shape,
                         kerasep_error *error);
bool signature_run(signature *of, kerasep_error *error);

/* Copy all numbers in or out. */
bool tensor_set(tensor *to, const float *numbers, kerasep_error *error);
bool tensor_get(tensor *from, float *numbers, kerasep_error *error);
/* The same for samples: NaN and infinity, which wrong weights cause, are an error. */
bool tensor_get_finite(const signature *of, tensor *from, float *numbers, kerasep_error *error);

#endif
