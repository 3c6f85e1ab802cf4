#include "residual.h"

#include <string.h>

static int find(const char *const *sources, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(sources[i], name)) return (int)i;
    return -1;
}

static int find_any(const char *const *sources, size_t count, const char *const *names,
                    size_t name_count) {
    for (size_t i = 0; i < name_count; i++) {
        int found = find(sources, count, names[i]);
        if (found >= 0) return found;
    }
    return -1;
}

int residual_source(const char *const *sources, size_t count) {
    static const char *const ALL_BUT_THE_VOICE[] = {"accompaniment", "instrumental"};
    static const char *const VOICES[] = {"vocals", "voice", "singing"};
    static const char *const BAND[] = {"vocals", "drums", "bass"};
    static const char *const ALWAYS[] = {"noise", "background", "rest", "residual"};
    int found = find_any(sources, count, ALL_BUT_THE_VOICE, 2);
    if (found >= 0) return count == 2 && find_any(sources, count, VOICES, 3) >= 0 ? found : -1;
    found = find(sources, count, "other");
    if (found >= 0) {
        for (size_t i = 0; i < 3; i++)
            if (find(sources, count, BAND[i]) < 0) return -1;
        return found;
    }
    return count > 1 ? find_any(sources, count, ALWAYS, 4) : -1;
}
