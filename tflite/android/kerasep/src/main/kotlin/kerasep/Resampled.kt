package kerasep

private const val BLOCK = 4096

/** Where samples come from, as many as requested, fewer only at the end. */
internal typealias Read = (Int) -> FloatArray

internal typealias Write = (FloatArray) -> Unit

/**
 * Separate a recording at its own rate, as in kerasep/separation/bands.py.
 *
 * @param residual index of the source that gets what the mixture loses on the way to the model's
 * rate and back; null to leave that out.
 * @param separate separates at the model's rate; its samples have the mixture behind the sources if
 * there is a residual.
 */
internal fun separateResampled(
    rate: Int,
    modelRate: Int,
    channels: Int,
    sources: Int,
    residual: Int?,
    separate: (Read, Write) -> Unit,
    read: Read,
    write: Write
) {
    val lanes = if (residual == null) sources else sources + 1
    val down = Resampler(rate, modelRate, channels)
    val up = Resampler(modelRate, rate, channels * lanes)
    var low = FloatArray(0)
    var mixture = FloatArray(0) // read, and not yet written
    var waiting = 0L // samples of it
    var begun = false
    var ended = false

    fun readLow(samples: Int): FloatArray {
        while (!ended && low.size < samples * channels) {
            val block = read(BLOCK)
            waiting += block.size / channels
            if (residual != null) mixture += block
            low += down.process(block)
            ended = block.size < BLOCK * channels
            if (ended) low += down.flush()
        }
        // A recording of less than one sample at the model's rate does not disappear.
        if (!begun && low.isEmpty() && waiting > 0) low = FloatArray(channels)
        begun = true
        val size = minOf(low.size, samples * channels)
        return low.copyOf(size).also { low = low.copyOfRange(size, low.size) }
    }

    fun writeUp(block: FloatArray) {
        val samples = minOf(waiting, (block.size / channels / lanes).toLong()).toInt()
        if (samples == 0) return
        val result = FloatArray(samples * channels * sources)
        for (i in 0 until samples * channels) {
            block.copyInto(result, i * sources, i * lanes, i * lanes + sources)
            if (residual != null) result[i * sources + residual] += mixture[i] - block[i * lanes + sources]
        }
        if (residual != null) mixture = mixture.copyOfRange(samples * channels, mixture.size)
        waiting -= samples
        write(result)
    }

    separate(::readLow) { writeUp(up.process(it)) }
    writeUp(up.flush())
    while (waiting > 0) writeUp(FloatArray(BLOCK * channels * lanes)) // lengths are rounded twice
}
