package kerasep

/**
 * Metadata of a file; lengths in samples at [sampleRate], in Hz.
 *
 * A file is for recordings, with a [chunk], or for streams, with a [timing].
 */
class About internal constructor(json: ByteArray) {
    private val found = checkedMetadata(json)
    private val streams = streams(found)

    /** Names, in the order of the results. */
    val sources: List<String> = (found["sources"] as List<*>).map { it.toString() }
    val sampleRate: Int = whole("sample_rate")

    /** Channels that the model takes at once; recordings may have any number. */
    val channels: Int = whole("channels")
    val chunk: Int = if (streams) 0 else whole("chunk")

    /** Chunks start at multiples of this. */
    val hop: Int = whole("hop")

    /** Samples that neighbouring chunks of a long recording share. */
    val overlap: Int = if (streams) 0 else rounded(whole("overlap"), hop).toInt()

    /** Whether the model's sources come in any order. */
    val interchangeable: Boolean = found["interchangeable"] == true

    /** The source that stands for the rest of the mixture. */
    val residual: String? = when {
        interchangeable -> null
        found.containsKey("residual") -> found["residual"] as String?
        else -> residualSource(sources) // files of earlier releases
    }

    /** After n samples of a stream, at least n - latency have come out. */
    val latency: Int = if (found["latency"] == null) 0 else whole("latency")

    internal val timing: Timing? = (found["timing"] as? Map<*, *>)?.takeIf { streams }?.let {
        Timing(
            whole("hop", it), whole("frame", it), whole("grain", it), whole("step", it),
            whole("lag", it), whole("silence", it), it["ends"].toString()
        )
    }

    private fun whole(key: String, from: Map<*, *> = found) =
        requireNotNull(from.whole(key, 0, Int.MAX_VALUE)) { "no $key" }
}

/** Raise if the number of samples contradicts the metadata, or samples are not finite. */
internal fun FloatArray.checked(count: Int): FloatArray {
    require(size == count) { "received a file whose tensors are not as its metadata says: export again" }
    require(all { it.isFinite() }) {
        "received a file that computes NaN or infinite values: check the model's weights, and export again"
    }
    return this
}
