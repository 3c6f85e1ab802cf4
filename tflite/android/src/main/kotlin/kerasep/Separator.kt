package kerasep

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import java.io.Closeable

/**
 * Separates recordings with a `.tflite` file that kerasep exported.
 *
 * Audio is float with full scale 1 at [About.sampleRate], channels interleaved. Not for several
 * threads at once, nor for the main one.
 */
class Separator(path: String, threads: Int = 4) : Closeable {
    val about = About(readMetadata(path))

    init {
        require(about.chunk > 0) { "received $path, which is for streams: use StreamSeparator" }
    }

    private val model = CompiledModel.create(path, processor(threads))
    private val mixture = model.createInputBuffer("mixture", SIGNATURE)
    private val sources = model.createOutputBuffer("sources", SIGNATURE)

    /** Stems of a recording of any length and number of channels, by the names of the sources. */
    fun separate(recording: FloatArray, channels: Int): Map<String, FloatArray> {
        val count = about.sources.size
        val stems = about.sources.map { FloatArray(recording.size) }
        var taken = 0
        var done = 0
        val read = { samples: Int ->
            val end = minOf(recording.size, taken + samples * channels)
            recording.copyOfRange(taken, end).also { taken = end }
        }
        separate(channels, read) { block ->
            for (i in block.indices) stems[i % count][done + i / count] = block[i]
            done += block.size / count
        }
        return about.sources.zip(stems).toMap()
    }

    /**
     * The same for recordings that do not fit into memory.
     *
     * @param read returns the next samples, as many as requested; fewer only at the end.
     * @param write receives the next samples of all sources: (sample, channel, source).
     */
    fun separate(channels: Int, read: (Int) -> FloatArray, write: (FloatArray) -> Unit) {
        require(channels > 0) { "received $channels channels, expected at least 1" }
        val plan = Chunking(
            about.chunk, about.overlap, about.hop, channels, about.sources.size,
            about.interchangeable
        )
        crossfaded(plan, read, { byChannelGroups(it, channels, about, this::chunk) }, write)
    }

    private fun chunk(samples: FloatArray): FloatArray {
        mixture.writeFloat(samples)
        model.run(mapOf("mixture" to mixture), mapOf("sources" to sources), SIGNATURE)
        return sources.readFloat().checked(about.chunk * about.channels * about.sources.size)
    }

    override fun close() {
        mixture.close()
        sources.close()
        model.close()
    }
}

private const val SIGNATURE = "separate"

/** The processor only: other accelerators cannot run these models' loops and transforms. */
internal fun processor(threads: Int) = CompiledModel.Options(Accelerator.CPU).apply {
    cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
}
