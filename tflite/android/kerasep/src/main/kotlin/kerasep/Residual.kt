package kerasep

private val VOICES = setOf("vocals", "voice", "singing")
private val BAND = setOf("vocals", "drums", "bass")

/**
 * The source that stands for the rest of the mixture, as in kerasep/separation/residual.py; null if
 * the sources are not known to make up the whole mixture.
 */
internal fun residualSource(sources: Collection<String>): String? {
    for (name in listOf("accompaniment", "instrumental")) {
        if (name in sources) return name.takeIf { sources.size == 2 && sources.any(VOICES::contains) }
    }
    if ("other" in sources) return "other".takeIf { sources.containsAll(BAND) }
    return listOf("noise", "background", "rest", "residual")
        .firstOrNull { it in sources && sources.size > 1 }
}
