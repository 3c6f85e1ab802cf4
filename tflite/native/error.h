/* One line with what was received, what was expected and what to do. */
#ifndef KERASEP_ERROR_H
#define KERASEP_ERROR_H

#include "kerasep.h"

/* Fill in the error, and return false. */
__attribute__((format(printf, 2, 3))) bool kerasep_fail(kerasep_error *error, const char *format,
                                                        ...);
bool kerasep_fail_memory(kerasep_error *error);

#endif
