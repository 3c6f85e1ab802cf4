package kerasep

// The bounds of kerasep/tflite/format/bounds.py: all readers check the same.
private const val FORMAT = 2
private const val MOST_SOURCES = 64
private const val MOST_NAME = 200 // bytes of UTF-8
private const val MOST_ORDERED = 8
private const val MOST_SAMPLES = 1 shl 30
private const val MOST_FRAME = 1 shl 20
private val TEXTS =
    listOf("kerasep", "created_by", "weights_sha256", "preset", "licence", "quantization")
private val TIMING =
    mapOf("hop" to 1, "frame" to 1, "grain" to 1, "step" to 1, "lag" to 0, "silence" to 0)
private val NUMBERS = setOf(
    Character.DECIMAL_DIGIT_NUMBER.toInt(), Character.LETTER_NUMBER.toInt(),
    Character.OTHER_NUMBER.toInt()
)

/** Metadata within its bounds; lengths are whole Doubles. */
internal fun checkedMetadata(json: ByteArray): Map<*, *> {
    val found = try {
        parseJson(json)
    } catch (error: IllegalArgumentException) {
        throw IllegalArgumentException("received a file whose metadata is damaged: export again", error)
    }
    val about = expect(found as? Map<*, *>, "JSON")
    val format = expect(about.whole("format", 1, Int.MAX_VALUE), "format")
    require(format <= FORMAT) { "received a file of a later format ($format, expected $FORMAT)" }
    checkSources(about)
    expect(about.whole("sample_rate", 1000, 768000), "sample_rate")
    expect(about.whole("channels", 1, 64), "channels")
    expect(about.whole("hop", 1, MOST_SAMPLES), "hop")
    for ((key, least) in mapOf("chunk" to 1, "overlap" to 0, "latency" to 0, "frames" to 1, "state" to 2))
        if (about[key] != null) expect(about.whole(key, least, MOST_SAMPLES), key)
    for (key in TEXTS) expect(about[key] == null || isText(about[key]), key)
    expect(isText(about["model"]), "model")
    expect(!about.containsKey("interchangeable") || about["interchangeable"] is Boolean, "interchangeable")
    if (about["stft"] != null) {
        val stft = expect(about["stft"] as? Map<*, *>, "stft")
        expect(isText(stft["window"]), "stft")
        for (key in listOf("n_fft", "hop")) expect(stft.whole(key, 1, MOST_FRAME), "stft")
    }
    checkTiming(about)
    if (streams(about)) expect(about["timing"] != null && about["latency"] != null, "timing")
    else checkChunks(about)
    return about
}

/** Whether a file is for streams. Earlier formats have no mode, but a timing. */
internal fun streams(about: Map<*, *>): Boolean {
    if (!about.containsKey("mode")) return about["timing"] != null
    expect(about["mode"] == "separate" || about["mode"] == "streaming", "mode")
    return about["mode"] == "streaming"
}

/** A whole number within bounds, or null. */
internal fun Map<*, *>.whole(key: String, least: Int, most: Int): Int? =
    (this[key] as? Double)?.takeIf { it >= least && it <= most && it % 1 == 0.0 }?.toInt()

private fun <T : Any> expect(value: T?, key: String): T {
    val given = if (value == false) null else value
    return requireNotNull(given) {
        "received a file whose metadata is damaged (its $key cannot be used): export again"
    }
}

private fun isText(value: Any?) = value is String && value.none { it < ' ' || it in '\u007f'..'\u009f' }

private fun checkSources(about: Map<*, *>) {
    val sources = expect(about["sources"] as? List<*>, "sources")
    expect(sources.size in 1..MOST_SOURCES && sources.toSet().size == sources.size, "sources")
    expect(sources.all(::namesAFile), "sources")
    expect(about["residual"] == null || about["residual"] in sources, "residual")
    expect(about["interchangeable"] != true || sources.size <= MOST_ORDERED, "interchangeable")
}

private fun namesAFile(name: Any?): Boolean {
    if (name !is String || name.toByteArray().size > MOST_NAME) return false
    val letters = name.codePoints().toArray().filter { it != "_".codePointAt(0) }
    return letters.isNotEmpty() &&
        letters.all { Character.isLetter(it) || Character.getType(it) in NUMBERS }
}

private fun checkChunks(about: Map<*, *>) {
    val chunk = expect(about.whole("chunk", 1, MOST_SAMPLES), "chunk")
    val hop = expect(about.whole("hop", 1, MOST_SAMPLES), "hop")
    val overlap = expect(about.whole("overlap", 0, MOST_SAMPLES), "overlap")
    expect(chunk % hop == 0 && rounded(overlap, hop) <= chunk / 2, "overlap")
}

/** Chunks start at multiples of the hop, so neighbours share a multiple too. */
internal fun rounded(overlap: Int, hop: Int) = (overlap.toLong() + hop - 1) / hop * hop

private fun checkTiming(about: Map<*, *>) {
    if (about["timing"] == null) return
    val timing = expect(about["timing"] as? Map<*, *>, "timing")
    for ((key, least) in TIMING) expect(timing.whole(key, least, MOST_FRAME), "timing")
    expect(timing["ends"] in listOf("mirror", "fill", "drop"), "timing")
    val (hop, grain, step) = listOf("hop", "grain", "step").map { timing.whole(it, 1, MOST_FRAME)!! }
    expect(grain % hop == 0 && step % grain == 0, "timing")
    val late = grain + timing.whole("lag", 0, MOST_FRAME)!!
    expect(!about.containsKey("latency") || about.whole("latency", late, late) != null, "latency")
}
