package kerasep

import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer
import java.io.Closeable

/**
 * Streams with a file exported for them: blocks of any size in, sources out when they are ready.
 *
 * Audio is as in [Separator], with the channels of the model; the output is (sample, channel,
 * source), late by [About.latency].
 */
class StreamSeparator(path: String, threads: Int = 1) : Closeable {
    val about = About(readMetadata(path))
    private val timing = requireNotNull(about.timing) {
        "received $path, which cannot stream: export a causal model for it"
    }
    private val model = CompiledModel.create(path, processor(threads))
    private val large = Step("step")
    private val small = Step("step1")
    private val blocks = Blocks(timing, about.channels, about.sources.size, start()) { block, state ->
        val whole = block.size == timing.step * about.channels
        (if (whole) large else small).run(block, state)
    }

    /** Process a block, and return the samples that are ready. */
    fun process(block: FloatArray): FloatArray = blocks.process(block)

    /** End the stream: return the remaining samples. The next block starts a new stream. */
    fun flush(): FloatArray = blocks.flush()

    override fun close() {
        large.close()
        small.close()
        model.close()
    }

    private fun start(): FloatArray {
        val state = model.createOutputBuffer("state", "reset")
        model.run(emptyMap<String, TensorBuffer>(), mapOf("state" to state), "reset")
        return state.readFloat().also { state.close() }
    }

    private inner class Step(private val signature: String) : AutoCloseable {
        private val inputs = listOf("mixture", "state").associate {
            it to model.createInputBuffer(it, signature)
        }
        private val outputs = listOf("sources", "state").associate {
            it to model.createOutputBuffer(it, signature)
        }

        fun run(block: FloatArray, state: FloatArray): Pair<FloatArray, FloatArray> {
            inputs.getValue("mixture").writeFloat(block)
            inputs.getValue("state").writeFloat(state)
            model.run(inputs, outputs, signature)
            val sources = outputs.getValue("sources").readFloat().checked(block.size * about.sources.size)
            return sources to outputs.getValue("state").readFloat()
        }

        override fun close() = (inputs.values + outputs.values).forEach { it.close() }
    }
}
