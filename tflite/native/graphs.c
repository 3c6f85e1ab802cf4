#include "graphs.h"

#include <stdint.h>
#include <stdlib.h>

static const double MOST_VALUES = 1 << 29;
/* Positions of fields in the tables of TFLite's schema. */
enum { MODEL_CODES = 1, MODEL_GRAPHS = 2, MODEL_BUFFERS = 4, MODEL_SIGNATURES = 7 };
enum { GRAPH_TENSORS = 0, GRAPH_INPUTS = 1, GRAPH_OUTPUTS = 2, GRAPH_OPERATORS = 3 };
enum { TENSOR_SHAPE = 0, TENSOR_BUFFER = 2, TENSOR_NAME = 3 };
enum { OPERATOR_CODE = 0, OPERATOR_INPUTS = 1, OPERATOR_OUTPUTS = 2 };
enum { SIGNATURE_INPUTS = 0, SIGNATURE_OUTPUTS = 1, SIGNATURE_KEY = 2, SIGNATURE_GRAPH = 4 };
enum { MAP_NAME = 0, MAP_TENSOR = 1, MOST_ENDS = 64 };

typedef struct file {
    const unsigned char *bytes;
    size_t size;
    bool sound;
} file;

typedef struct table {
    file *in;
    size_t at;
} table;

typedef struct vector {
    file *in;
    size_t at;
    uint32_t count;
} vector;

/* An unsigned number; 0 beyond the end, where the file is damaged. */
static uint32_t number(file *in, size_t at, size_t bytes) {
    uint32_t value = 0;
    if (at > in->size || in->size - at < bytes) {
        in->sound = false;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) value |= (uint32_t)in->bytes[at + i] << 8 * i;
    return value;
}

/* Position of a field; 0 if it is absent. */
static size_t field(table of, size_t place) {
    int64_t fields = (int64_t)of.at - (int32_t)number(of.in, of.at, 4);
    if (fields < 0) of.in->sound = false;
    if (!of.in->sound || 4 + 2 * place >= number(of.in, (size_t)fields, 2)) return 0;
    uint32_t offset = number(of.in, (size_t)fields + 4 + 2 * place, 2);
    return offset ? of.at + offset : 0;
}

static uint32_t number_of(table of, size_t place) {
    size_t at = field(of, place);
    return at ? number(of.in, at, 4) : 0;
}

/* Of entries of four bytes. */
static vector vector_of(table of, size_t place) {
    size_t at = field(of, place);
    vector found = {of.in, 0, 0};
    if (!at) return found;
    at += number(of.in, at, 4);
    found.at = at + 4;
    found.count = number(of.in, at, 4);
    if (found.count > of.in->size / 4) {
        of.in->sound = false;
        found.count = 0;
    }
    return found;
}

static table entry(vector of, uint32_t index) {
    size_t at = of.at + 4 * (size_t)index;
    return (table){of.in, at + number(of.in, at, 4)};
}

static bool within(vector indices, int64_t least, uint32_t end) {
    bool good = true;
    for (uint32_t i = 0; good && i < indices.count; i++) {
        int32_t index = (int32_t)number(indices.in, indices.at + 4 * (size_t)i, 4);
        good = index >= least && index < (int64_t)end;
    }
    return good;
}

static bool tensor_is_sound(table tensor, uint32_t buffers) {
    vector shape = vector_of(tensor, TENSOR_SHAPE);
    double values = 1;
    for (uint32_t i = 0; i < shape.count; i++) {
        int32_t size = (int32_t)number(shape.in, shape.at + 4 * (size_t)i, 4);
        if (size < 0) return false;
        if (size) values *= size;
    }
    return values <= MOST_VALUES && number_of(tensor, TENSOR_BUFFER) < buffers &&
           field(tensor, TENSOR_NAME);
}

/* written: a flag for each tensor. */
static bool operators_are_sound(vector operators, uint32_t codes, uint32_t tensors, char *written) {
    for (uint32_t i = 0; operators.in->sound && i < operators.count; i++) {
        table each = entry(operators, i);
        vector outputs = vector_of(each, OPERATOR_OUTPUTS);
        if (number_of(each, OPERATOR_CODE) >= codes ||
            !within(vector_of(each, OPERATOR_INPUTS), -1, tensors) || !within(outputs, 0, tensors))
            return false;
        for (uint32_t j = 0; j < outputs.count; j++) {
            uint32_t index = number(outputs.in, outputs.at + 4 * (size_t)j, 4);
            if (written[index]) return false;
            written[index] = true;
        }
    }
    return operators.in->sound;
}

static bool graph_is_sound(table graph, uint32_t codes, uint32_t buffers) {
    vector tensors = vector_of(graph, GRAPH_TENSORS);
    for (uint32_t i = 0; i < tensors.count; i++)
        if (!tensor_is_sound(entry(tensors, i), buffers)) return false;
    char *written = calloc((size_t)tensors.count + 1, 1);
    bool sound = written && within(vector_of(graph, GRAPH_INPUTS), 0, tensors.count) &&
                 within(vector_of(graph, GRAPH_OUTPUTS), 0, tensors.count) &&
                 operators_are_sound(vector_of(graph, GRAPH_OPERATORS), codes, tensors.count,
                                     written);
    free(written);
    return sound;
}

static bool maps_are_sound(vector maps, vector ends) {
    if (maps.count > MOST_ENDS || ends.count > MOST_ENDS) return false;
    for (uint32_t i = 0; i < maps.count; i++) {
        uint32_t index = number_of(entry(maps, i), MAP_TENSOR);
        bool listed = false;
        for (uint32_t j = 0; j < ends.count; j++)
            listed = listed || number(ends.in, ends.at + 4 * (size_t)j, 4) == index;
        if (!listed || !field(entry(maps, i), MAP_NAME)) return false;
    }
    return true;
}

static bool signature_is_sound(table signature, vector graphs) {
    uint32_t index = number_of(signature, SIGNATURE_GRAPH);
    if (index >= graphs.count || !field(signature, SIGNATURE_KEY)) return false;
    table graph = entry(graphs, index);
    return maps_are_sound(vector_of(signature, SIGNATURE_INPUTS), vector_of(graph, GRAPH_INPUTS)) &&
           maps_are_sound(vector_of(signature, SIGNATURE_OUTPUTS), vector_of(graph, GRAPH_OUTPUTS));
}

bool graphs_are_sound(const void *bytes, size_t size) {
    file whole = {bytes, size, true};
    table model = {&whole, number(&whole, 0, 4)};
    vector graphs = vector_of(model, MODEL_GRAPHS);
    vector signatures = vector_of(model, MODEL_SIGNATURES);
    uint32_t codes = vector_of(model, MODEL_CODES).count;
    uint32_t buffers = vector_of(model, MODEL_BUFFERS).count;
    for (uint32_t i = 0; whole.sound && i < graphs.count; i++)
        if (!graph_is_sound(entry(graphs, i), codes, buffers)) return false;
    for (uint32_t i = 0; whole.sound && i < signatures.count; i++)
        if (!signature_is_sound(entry(signatures, i), graphs)) return false;
    return whole.sound && graphs.count;
}
