#include "model.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "graphs.h"

/* LiteRT checks bytes in memory, but files that it opens itself may crash it. */
static bool map_file(model *opened, const char *path, kerasep_error *error) {
    struct stat status;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &status) || !S_ISREG(status.st_mode)) {
        if (file >= 0) close(file);
        return kerasep_fail(error, "received %s, expected a .tflite file: there is no such file",
                            path);
    }
    size_t size = (size_t)status.st_size;
    void *bytes = size < 8 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (bytes != MAP_FAILED) {
        opened->bytes = bytes;
        opened->size = size;
        if (!memcmp((const char *)bytes + 4, "TFL3", 4)) return true;
    }
    return kerasep_fail(error,
                        "received %s, which is not a TFLite file: export a model to get one", path);
}

/* LiteRT takes the number of threads as a line of TOML for its XNNPACK kernels. */
static bool set_threads(LiteRtOptions options, int threads) {
    char *line = malloc(32);
    LiteRtOpaqueOptions opaque;
    if (!line) return false;
    snprintf(line, 32, "num_threads = %d\n", threads);
    if (LiteRtCreateOpaqueOptions("xnnpack", line, free, &opaque)) {
        free(line);
        return false;
    }
    if (!LiteRtAddOpaqueOptions(options, opaque)) return true;
    LiteRtDestroyOpaqueOptions(opaque);
    return false;
}

/* Without these it looks for many kinds of drivers, and logs each on stderr. */
static bool create_environment(LiteRtEnvironment *made) {
    LiteRtEnvironmentOption options[] = {
        {LITERT_LOG_LEVEL, {LITERT_INTEGER, {LITERT_ERRORS}}},
        {LITERT_ACCELERATORS, {LITERT_INTEGER, {LITERT_CPU}}},
    };
    return !LiteRtCreateEnvironment(2, options, made);
}

static bool load(model *opened, int threads) {
    LiteRtOptions options;
    if (!create_environment(&opened->environment) ||
        LiteRtCreateModelFromBuffer(opened->environment, opened->bytes, opened->size,
                                    &opened->file) ||
        LiteRtCreateOptions(&options))
        return false;
    bool loaded = !LiteRtSetOptionsHardwareAccelerators(options, LITERT_CPU) &&
                  set_threads(options, threads) &&
                  !LiteRtCreateCompiledModel(opened->environment, opened->file, options,
                                             &opened->compiled);
    LiteRtDestroyOptions(options);
    return loaded;
}

bool model_open(model *opened, const char *path, int threads, kerasep_error *error) {
    *opened = (model){.path = strdup(path)};
    if (!opened->path) return kerasep_fail_memory(error);
    if (!map_file(opened, path, error)) return false;
    if (!graphs_are_sound(opened->bytes, opened->size))
        return kerasep_fail(error, "received %s, a TFLite file that is damaged: export again", path);
    if (load(opened, threads)) return true;
    return kerasep_fail(error, "received %s, a TFLite file that LiteRT cannot load: export again",
                        path);
}

void model_close(model *opened) {
    if (opened->compiled) LiteRtDestroyCompiledModel(opened->compiled);
    if (opened->file) LiteRtDestroyModel(opened->file);
    if (opened->environment) LiteRtDestroyEnvironment(opened->environment);
    if (opened->bytes) munmap(opened->bytes, opened->size);
    free(opened->path);
    *opened = (model){0};
}

bool model_metadata(model *opened, const char **json, size_t *bytes, kerasep_error *error) {
    const void *found;
    if (LiteRtGetModelMetadata(opened->file, "kerasep", &found, bytes))
        return kerasep_fail(error,
                            "received %s, a TFLite file without kerasep's metadata, expected one "
                            "that kerasep.tflite.export wrote",
                            opened->path);
    *json = found;
    return true;
}

static bool find(model *in, const char *key, size_t *index, LiteRtSignature *found) {
    size_t count;
    const char *name;
    if (LiteRtGetNumModelSignatures(in->file, &count)) return false;
    for (*index = 0; *index < count; ++*index)
        if (!LiteRtGetModelSignature(in->file, *index, found) &&
            !LiteRtGetSignatureKey(*found, &name) && !strcmp(name, key))
            return true;
    return false;
}

bool model_has(model *opened, const char *key) {
    size_t index;
    LiteRtSignature found;
    return find(opened, key, &index, &found);
}

static bool open_tensor(tensor *opened, model *of, LiteRtTensor declared,
                        LiteRtTensorBufferRequirements requirements) {
    LiteRtRankedTensorType type;
    if (LiteRtGetRankedTensorType(declared, &type) || type.element_type != LITERT_FLOAT32 ||
        type.layout.rank > 8)
        return false;
    opened->rank = type.layout.rank;
    opened->count = 1;
    for (size_t i = 0; i < opened->rank; i++) {
        opened->shape[i] = type.layout.dimensions[i];
        if (opened->shape[i] < 1 || opened->count > SIZE_MAX / 64 / (size_t)opened->shape[i])
            return false;
        opened->count *= (size_t)opened->shape[i];
    }
    size_t bytes;
    return !LiteRtCreateManagedTensorBufferFromRequirements(of->environment, &type, requirements,
                                                            &opened->buffer) &&
           !LiteRtGetTensorBufferPackedSize(opened->buffer, &bytes) &&
           bytes == opened->count * sizeof(float);
}

static bool open_tensors(signature *opened, LiteRtSignature declared) {
    LiteRtTensor each;
    LiteRtTensorBufferRequirements requirements;
    LiteRtCompiledModel compiled = opened->model->compiled;
    if (LiteRtGetNumSignatureInputs(declared, &opened->input_count) ||
        LiteRtGetNumSignatureOutputs(declared, &opened->output_count) ||
        opened->input_count > MOST_TENSORS || opened->output_count > MOST_TENSORS)
        return false;
    for (size_t i = 0; i < opened->input_count; i++)
        if (LiteRtGetSignatureInputName(declared, i, &opened->inputs[i].name) ||
            LiteRtGetSignatureInputTensorByIndex(declared, i, &each) ||
            LiteRtGetCompiledModelInputBufferRequirements(compiled, opened->index, i,
                                                          &requirements) ||
            !open_tensor(&opened->inputs[i], opened->model, each, requirements))
            return false;
    for (size_t i = 0; i < opened->output_count; i++)
        if (LiteRtGetSignatureOutputName(declared, i, &opened->outputs[i].name) ||
            LiteRtGetSignatureOutputTensorByIndex(declared, i, &each) ||
            LiteRtGetCompiledModelOutputBufferRequirements(compiled, opened->index, i,
                                                           &requirements) ||
            !open_tensor(&opened->outputs[i], opened->model, each, requirements))
            return false;
    return true;
}

bool signature_open(signature *opened, model *of, const char *key, size_t inputs, size_t outputs,
                    kerasep_error *error) {
    LiteRtSignature declared;
    *opened = (signature){.model = of};
    if (!find(of, key, &opened->index, &declared))
        return kerasep_fail(error, "received %s, expected a file with the signature %s", of->path,
                            key);
    if (open_tensors(opened, declared) && opened->input_count == inputs &&
        opened->output_count == outputs)
        return true;
    signature_close(opened);
    return kerasep_fail(error,
                        "received %s, expected tensors of float32 and fixed shapes in its "
                        "signature %s: export again",
                        of->path, key);
}

void signature_close(signature *opened) {
    for (size_t i = 0; i < MOST_TENSORS; i++) {
        if (opened->inputs[i].buffer) LiteRtDestroyTensorBuffer(opened->inputs[i].buffer);
        if (opened->outputs[i].buffer) LiteRtDestroyTensorBuffer(opened->outputs[i].buffer);
    }
    *opened = (signature){0};
}

static tensor *by_name(tensor *tensors, size_t count, const signature *of, const char *name,
                       size_t rank, const size_t *shape, kerasep_error *error) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tensors[i].name, name)) continue;
        bool same = tensors[i].rank == rank;
        for (size_t axis = 0; same && axis < rank; axis++)
            same = !shape[axis] || (size_t)tensors[i].shape[axis] == shape[axis];
        if (same) return &tensors[i];
    }
    kerasep_fail(error, "received %s, whose tensor %s is not as its metadata says: export again",
                 of->model->path, name);
    return NULL;
}

tensor *signature_input(signature *of, const char *name, size_t rank, const size_t *shape,
                        kerasep_error *error) {
    return by_name(of->inputs, of->input_count, of, name, rank, shape, error);
}

tensor *signature_output(signature *of, const char *name, size_t rank, const size_t *shape,
                         kerasep_error *error) {
    return by_name(of->outputs, of->output_count, of, name, rank, shape, error);
}

bool signature_run(signature *of, kerasep_error *error) {
    LiteRtTensorBuffer inputs[MOST_TENSORS], outputs[MOST_TENSORS];
    for (size_t i = 0; i < MOST_TENSORS; i++) {
        inputs[i] = of->inputs[i].buffer;
        outputs[i] = of->outputs[i].buffer;
    }
    if (!LiteRtRunCompiledModel(of->model->compiled, of->index, of->input_count, inputs,
                                of->output_count, outputs))
        return true;
    return kerasep_fail(error, "LiteRT could not run %s", of->model->path);
}

bool tensor_set(tensor *to, const float *numbers, kerasep_error *error) {
    void *memory;
    if (LiteRtLockTensorBuffer(to->buffer, &memory, LITERT_WRITE))
        return kerasep_fail(error, "LiteRT gives no access to the tensor %s", to->name);
    memcpy(memory, numbers, to->count * sizeof(float));
    LiteRtUnlockTensorBuffer(to->buffer);
    return true;
}

bool tensor_get(tensor *from, float *numbers, kerasep_error *error) {
    void *memory;
    if (LiteRtLockTensorBuffer(from->buffer, &memory, LITERT_READ))
        return kerasep_fail(error, "LiteRT gives no access to the tensor %s", from->name);
    memcpy(numbers, memory, from->count * sizeof(float));
    LiteRtUnlockTensorBuffer(from->buffer);
    return true;
}

bool tensor_get_finite(const signature *of, tensor *from, float *numbers, kerasep_error *error) {
    if (!tensor_get(from, numbers, error)) return false;
    for (size_t i = 0; i < from->count; i++)
        if (!isfinite(numbers[i]))
            return kerasep_fail(error,
                                "received %s, which computes NaN or infinite values, expected "
                                "finite ones: check the model's weights, and export again",
                                of->model->path);
    return true;
}
