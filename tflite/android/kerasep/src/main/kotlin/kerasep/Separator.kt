package kerasep

import java.io.Closeable
import java.io.File

/**
 * Separates recordings with a `.tflite` file that kerasep exported.
 *
 * Audio is float with full scale 1, channels interleaved, at any rate. Not for several threads at
 * once, nor for the main one.
 *
 * @param open opens the file; by default LiteRT on four threads.
 */
class Separator(path: String, open: (String) -> Interpreter = { LiteRtInterpreter(it, 4) }) : Closeable {
    val about = About(readMetadata(path))

    init {
        require(about.chunk > 0) { "received $path, which is for streams: use StreamSeparator" }
    }

    private val model = open(path)

    /** Stems of a recording of any length and number of channels, by the names of the sources. */
    fun separate(
        recording: FloatArray,
        channels: Int,
        sampleRate: Int = about.sampleRate,
        modelBand: Boolean = false
    ): Map<String, FloatArray> {
        require(channels > 0) { "received $channels channels, expected at least 1" }
        val count = about.sources.size
        val stems = about.sources.map { FloatArray(recording.size) }
        var done = 0
        separate(ArraySource(recording, sampleRate, channels), modelBand) { block ->
            for (i in block.indices) stems[i % count][done + i / count] = block[i]
            done += block.size / count
        }
        return about.sources.zip(stems).toMap()
    }

    /**
     * The same for recordings that do not fit into memory.
     *
     * @param modelBand whether the stems end with the model's band; otherwise [About.residual] gets
     * what lies beyond, and the stems add up to the mixture at its own rate.
     * @param write receives the next samples of all sources: (sample, channel, source).
     */
    fun separate(source: AudioSource, modelBand: Boolean = false, write: (FloatArray) -> Unit) {
        val channels = source.channels
        if (source.sampleRate == about.sampleRate) return chunks(channels, false, source::read, write)
        val residual = if (modelBand) null else about.sources.indexOf(about.residual).takeIf { it >= 0 }
        separateResampled(
            source.sampleRate, about.sampleRate, channels, about.sources.size, residual,
            { read, writeLow -> chunks(channels, residual != null, read, writeLow) },
            source::read, write
        )
    }

    /**
     * Separate into WAV files in a folder, and return them by the names of the sources.
     *
     * @param progress receives the share that is done, 0 to 1, where the source knows its length.
     */
    fun separate(source: AudioSource, folder: File, progress: (Double) -> Unit): Map<String, File> {
        folder.mkdirs()
        val files = about.sources.associateWith { File(folder, "$it.wav") }
        val sinks = files.values.map { WavSink(it, source.sampleRate, source.channels) }
        var done = 0L
        try {
            separate(source) { block ->
                sinks.forEachIndexed { index, sink ->
                    sink.write(FloatArray(block.size / sinks.size) { block[it * sinks.size + index] })
                }
                done += block.size / sinks.size / source.channels
                source.samples?.let { progress(minOf(1.0, done.toDouble() / it)) }
            }
            sinks.forEach { it.finish() }
        } finally {
            sinks.forEach { it.close() }
        }
        return files
    }

    private fun chunks(channels: Int, withMixture: Boolean, read: Read, write: Write) {
        val lanes = about.sources.size + (if (withMixture) 1 else 0)
        val plan =
            Chunking(about.chunk, about.overlap, about.hop, channels, lanes, about.interchangeable)
        crossfaded(plan, read, { byChannelGroups(it, channels, about, withMixture, this::chunk) }, write)
    }

    private fun chunk(samples: FloatArray): FloatArray =
        model.run("separate", mapOf("mixture" to samples), listOf("sources")).getValue("sources")
            .checked(about.chunk * about.channels * about.sources.size)

    override fun close() = model.close()
}
