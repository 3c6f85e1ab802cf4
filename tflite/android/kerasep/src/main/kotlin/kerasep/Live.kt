package kerasep

/**
 * From a microphone through a file for streams to a loudspeaker, which takes the rate of the
 * microphone and the channels of the model.
 */
class Live(private val from: AudioSource, private val to: AudioSink, private val stream: StreamSeparator) {
    private val about = stream.about
    private val channels = about.channels

    /** Gains of the sources, in their order: 1 is the level in the mixture, 0 mutes one. */
    @Volatile
    var gains = FloatArray(about.sources.size) { 1f }

    /** Process until the source ends or it may not go on. */
    fun run(goesOn: () -> Boolean) {
        val same = from.sampleRate == about.sampleRate
        val down = if (same) null else Resampler(from.sampleRate, about.sampleRate, channels)
        val up = if (same) null else Resampler(about.sampleRate, from.sampleRate, channels)
        val size = maxOf(1, from.sampleRate / 100)
        while (goesOn()) {
            val block = from.read(size)
            val mixture = withChannels(block, from.channels, channels)
            val mix = mixed(stream.process(down?.process(mixture) ?: mixture))
            write(up?.process(mix) ?: mix)
            if (block.size < size * from.channels) break
        }
        val rest = down?.flush() ?: FloatArray(0)
        val mix = mixed(stream.process(rest) + stream.flush())
        write(up?.let { it.process(mix) + it.flush() } ?: mix)
    }

    private fun write(block: FloatArray) {
        if (block.isNotEmpty()) to.write(block)
    }

    private fun mixed(sources: FloatArray): FloatArray {
        val gains = gains
        return FloatArray(sources.size / gains.size) { index ->
            gains.indices.fold(0f) { sum, source -> sum + gains[source] * sources[index * gains.size + source] }
        }
    }
}
