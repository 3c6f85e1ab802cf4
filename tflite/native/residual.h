/* The source that stands for the rest of the mixture, as in kerasep/separation/residual.py. */
#ifndef KERASEP_RESIDUAL_H
#define KERASEP_RESIDUAL_H

#include <stddef.h>

/* Index of the source; -1 if the sources are not known to make up the whole mixture. */
int residual_source(const char *const *sources, size_t count);

#endif
