#include "error.h"

#include <stdarg.h>
#include <stdio.h>

bool kerasep_fail(kerasep_error *error, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(error->text, sizeof error->text, format, values);
    va_end(values);
    for (char *each = error->text; *each; each++)
        if ((unsigned char)*each < ' ') *each = ' '; /* a name may hold a line break */
    return false;
}

bool kerasep_fail_memory(kerasep_error *error) {
    return kerasep_fail(error, "there is not enough memory: use a model with shorter chunks");
}
