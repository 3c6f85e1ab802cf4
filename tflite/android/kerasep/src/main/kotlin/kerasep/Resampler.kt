package kerasep

/** Resamples a stream of interleaved samples, without delay, as [ResamplingFilter] says. */
internal class Resampler(rate: Int, newRate: Int, private val channels: Int) {
    private val filter = ResamplingFilter(rate, newRate)
    private val up = filter.up
    private val down = filter.down
    private val half = filter.half
    private val first = List(filter.early) { filter.weights(it.toLong()) }
    private val kernels = (filter.early.toLong() until filter.early + up).map { filter.weights(it) }
    private var held = FloatArray((half - 1) * channels) // from input sample heldFrom on
    private var heldFrom = 1L - half
    private var taken = 0L
    private var made = 0L

    /** Add samples, and return those that are ready. */
    fun process(block: FloatArray): FloatArray {
        taken += block.size / channels
        held += block
        // The first sample that needs one which is not there yet.
        val end = maxOf(made, ceilDivided((taken - half) * up, down.toLong()))
        return resampledTo(end)
    }

    /** Return the rest, rounded to the nearest length. */
    fun flush(): FloatArray {
        held += FloatArray((half + 1) * channels)
        return resampledTo(maxOf(made, (2 * taken * up + down) / (2L * down)))
    }

    private fun resampledTo(end: Long): FloatArray {
        val result = FloatArray(((end - made) * channels).toInt())
        val sums = DoubleArray(channels)
        for (index in made until end) {
            val weights = if (index < first.size) first[index.toInt()] else kernels[((index - first.size) % up).toInt()]
            var from = ((index * down / up - half + 1 - heldFrom) * channels).toInt()
            sums.fill(0.0)
            for (weight in weights) for (channel in 0 until channels) sums[channel] += weight * held[from++]
            val to = ((index - made) * channels).toInt()
            for (channel in 0 until channels) result[to + channel] = sums[channel].toFloat()
        }
        made = end
        val needed = minOf(maxOf(end * down / up - half + 1 - heldFrom, 0L), (held.size / channels).toLong())
        held = held.copyOfRange((needed * channels).toInt(), held.size)
        heldFrom += needed
        return result
    }
}

private fun ceilDivided(a: Long, b: Long) = -Math.floorDiv(-a, b)
