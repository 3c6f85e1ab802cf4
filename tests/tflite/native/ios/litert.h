/* LiteRT for Swift, through the C code's model.h. */
#include "../../../../tflite/native/model.h"
