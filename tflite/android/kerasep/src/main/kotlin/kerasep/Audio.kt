package kerasep

import java.io.Closeable

/** A recording or a microphone: interleaved floats, full scale 1. */
interface AudioSource : Closeable {
    /** In Hz. */
    val sampleRate: Int
    val channels: Int

    /** Samples of each channel in all; null if that is not known. */
    val samples: Long?

    /** Return the next samples, as many as requested; fewer only at the end. */
    fun read(samples: Int): FloatArray
}

/** A file or a loudspeaker: interleaved floats, full scale 1. */
interface AudioSink : Closeable {
    fun write(block: FloatArray)
}

/** A recording in memory. */
class ArraySource(
    private val audio: FloatArray,
    override val sampleRate: Int,
    override val channels: Int
) : AudioSource {
    private var taken = 0
    override val samples = (audio.size / channels).toLong()

    override fun read(samples: Int): FloatArray {
        val end = minOf(audio.size, taken + samples * channels)
        return audio.copyOfRange(taken, end).also { taken = end }
    }

    override fun close() = Unit
}

/** Another number of channels: the mean of all for one, the last one repeated for more. */
internal fun withChannels(block: FloatArray, from: Int, to: Int): FloatArray {
    if (from == to) return block
    return FloatArray(block.size / from * to) { index ->
        val first = index / to * from
        if (to > 1) block[first + minOf(index % to, from - 1)]
        else (first until first + from).fold(0f) { sum, each -> sum + block[each] } / from
    }
}
