package kerasep

import java.io.Closeable

/**
 * Streams with a file exported for them: blocks of any size in, sources out when they are ready.
 *
 * Audio is at [About.sampleRate], with the channels of the model; the output is (sample, channel,
 * source), late by [About.latency]. [Live] takes other rates and channels.
 *
 * @param open opens the file; by default LiteRT on one thread.
 */
class StreamSeparator(path: String, open: (String) -> Interpreter = { LiteRtInterpreter(it, 1) }) :
    Closeable {
    val about = About(readMetadata(path))
    private val timing = requireNotNull(about.timing) {
        "received $path, which cannot stream: export a causal model for it"
    }
    private val model = open(path)
    private val start = model.run("reset", emptyMap(), listOf("state")).getValue("state")
    private val blocks = Blocks(timing, about.channels, about.sources.size, start, this::step)

    /** Process a block, and return the samples that are ready. */
    fun process(block: FloatArray): FloatArray = blocks.process(block)

    /** End the stream: return the remaining samples. The next block starts a new stream. */
    fun flush(): FloatArray = blocks.flush()

    override fun close() = model.close()

    private fun step(block: FloatArray, state: FloatArray): Pair<FloatArray, FloatArray> {
        val signature = if (block.size == timing.step * about.channels) "step" else "step1"
        val inputs = mapOf("mixture" to block, "state" to state)
        val results = model.run(signature, inputs, listOf("sources", "state"))
        val sources = results.getValue("sources").checked(block.size * about.sources.size)
        return sources to results.getValue("state")
    }
}
