package kerasep

/**
 * What a file says about itself; lengths in samples at [sampleRate], in Hz.
 *
 * It is for recordings, with a [chunk], or for streams, with a [timing].
 */
class About internal constructor(json: ByteArray) {
    private val found = checkedMetadata(json)
    private val streams = streams(found)

    /** Names, in the order of all results. */
    val sources: List<String> = (found["sources"] as List<*>).map { it.toString() }
    val sampleRate: Int = whole("sample_rate")

    /** That the model takes at once; recordings may have any number. */
    val channels: Int = whole("channels")
    val chunk: Int = if (streams) 0 else whole("chunk")

    /** Chunks start at multiples of this. */
    val hop: Int = whole("hop")

    /** That neighbouring chunks of a long recording share. */
    val overlap: Int = if (streams) 0 else rounded(whole("overlap"), hop).toInt()

    /** Whether the model gives its sources in any order. */
    val interchangeable: Boolean = found["interchangeable"] == true

    /** After n samples of a stream, n - latency and more have come out. */
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

/** Raise for samples that are not as many as the metadata says, or not finite: weights may be so. */
internal fun FloatArray.checked(count: Int): FloatArray {
    require(size == count) { "received a file whose tensors are not as its metadata says: export again" }
    require(all { it.isFinite() }) {
        "received a file that computes NaN or infinite values: check the model's weights, and export again"
    }
    return this
}
