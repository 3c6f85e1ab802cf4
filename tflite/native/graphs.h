/* Checks of a file's graphs that LiteRT does not make: a wrong index may crash it. */
#ifndef KERASEP_GRAPHS_H
#define KERASEP_GRAPHS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the graphs in the bytes of a TFLite file point to nothing beyond their tables, compute no
 * tensor twice, name each, and have none of more than 2^29 values, and signatures are of their
 * inputs and outputs. As kerasep/tflite/format/soundness.py. */
bool graphs_are_sound(const void *bytes, size_t size);

#endif
