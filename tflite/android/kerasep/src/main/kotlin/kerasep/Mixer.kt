package kerasep

import java.io.Closeable
import java.io.File
import java.util.concurrent.ConcurrentHashMap

/** Plays stems together, each with its own gain, which may change while they play. */
class Mixer(files: Map<String, File>) : Closeable {
    private val stems = files.mapValues { WavSource(it.value) }
    private val gains = ConcurrentHashMap<String, Float>()
    private val any = stems.values.first()
    val sampleRate = any.sampleRate
    val channels = any.channels
    val samples = any.samples!!

    /** Samples that were mixed, from the start of the song. */
    @Volatile
    var position = 0L
        private set

    /** Set the gain of a stem: 1 is the level in the song, 0 mutes it. */
    fun setGain(stem: String, gain: Float) {
        require(stem in stems && gain in 0f..4f) { "received $gain for $stem, expected a stem and 0 to 4" }
        gains[stem] = gain
    }

    @Synchronized
    fun seek(sample: Long) {
        position = sample.coerceIn(0L, samples)
        stems.values.forEach { it.seek(position) }
    }

    /** Return the next samples of the mix; fewer at the end. */
    @Synchronized
    fun read(samples: Int): FloatArray {
        val mix = FloatArray(minOf(samples.toLong(), this.samples - position).toInt() * channels)
        for ((name, stem) in stems) {
            val gain = gains[name] ?: 1f
            val block = stem.read(mix.size / channels)
            for (i in mix.indices) mix[i] += gain * block[i]
        }
        position += mix.size / channels
        return mix
    }

    /** Play to a loudspeaker until the end, or until it may not go on. */
    fun play(to: AudioSink, goesOn: () -> Boolean) {
        while (goesOn()) {
            val block = read(2048)
            if (block.isEmpty()) return
            to.write(block)
        }
    }

    override fun close() = stems.values.forEach { it.close() }
}
