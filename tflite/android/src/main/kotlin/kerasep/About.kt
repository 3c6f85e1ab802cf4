package kerasep

import org.json.JSONObject

/**
 * What a file says about itself; lengths in samples at [sampleRate], in Hz.
 *
 * It is for recordings, with a [chunk], or for streams, with a [timing].
 */
class About internal constructor(json: String) {
    private val found = JSONObject(json)

    /** Names, in the order of all results. */
    val sources: List<String> = found.getJSONArray("sources").let { list ->
        (0 until list.length()).map { list.getString(it) }
    }
    val sampleRate: Int = found.getInt("sample_rate")

    /** That the model takes at once; recordings may have any number. */
    val channels: Int = found.getInt("channels")
    val chunk: Int = found.optInt("chunk")

    /** That neighbouring chunks of a long recording share. */
    val overlap: Int = found.optInt("overlap")

    /** Chunks start at multiples of this. */
    val hop: Int = found.getInt("hop")

    /** Whether the model gives its sources in any order. */
    val interchangeable: Boolean = found.optBoolean("interchangeable")

    /** After n samples of a stream, n - latency and more have come out. */
    val latency: Int = found.optInt("latency")

    internal val timing: Timing? = found.optJSONObject("timing")?.let {
        Timing(
            it.getInt("hop"), it.getInt("frame"), it.getInt("grain"), it.getInt("step"),
            it.getInt("lag"), it.getInt("silence"), it.getString("ends")
        )
    }

    init {
        val format = found.getInt("format")
        require(format <= 2) { "received a file of a later format ($format, expected 2)" }
    }
}
