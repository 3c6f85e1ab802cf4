/* The contents of a `kerasep`. */
#ifndef KERASEP_OPENED_H
#define KERASEP_OPENED_H

#include "metadata.h"
#include "model.h"

struct kerasep {
    model model;
    metadata metadata;
};

#endif
