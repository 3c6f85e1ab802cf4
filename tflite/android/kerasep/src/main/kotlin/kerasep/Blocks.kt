package kerasep

/** How a streamed model takes its samples, as in kerasep/streaming/buffering.py. */
internal class Timing(
    val hop: Int,
    val frame: Int,
    val grain: Int,
    val step: Int,
    val lag: Int,
    val silence: Int,
    val ends: String
) {
    val margin = if (ends == "mirror") frame / 2 else 0
    val skip = lag + silence + margin

    fun filled(samples: Long): Long {
        val whole = ends == "mirror" && 2 * hop > frame
        return if (whole) (samples + hop - 1) / hop * hop else samples
    }

    fun frames(samples: Long): Long {
        if (ends == "mirror") return 1 + filled(samples) / hop
        val beyond = maxOf(0L, samples - frame)
        return 1 + (if (ends == "fill") beyond + hop - 1 else beyond) / hop
    }
}

/** Index in the state of the number of frames still to come. */
private const val LEFT = 1

/**
 * Blocks of any size, cut into the steps of a streamed model.
 *
 * @param run maps a block of the length of one of the two steps, and a state, to sources and state.
 */
internal class Blocks(
    private val timing: Timing,
    private val channels: Int,
    private val sources: Int,
    private val start: FloatArray,
    private val run: (FloatArray, FloatArray) -> Pair<FloatArray, FloatArray>
) {
    private var state = start
    private var taken = 0L
    private var stepped = 0L
    private var pending = FloatArray(0)
    private var recent = FloatArray(0)
    private var begun = false

    init {
        reset()
    }

    private fun reset() {
        state = start
        taken = 0L
        stepped = 0L
        pending = FloatArray(timing.silence * channels)
        recent = FloatArray(0)
        begun = timing.margin == 0
    }

    fun process(block: FloatArray): FloatArray {
        require(block.size % channels == 0) { "received a block that is not of $channels channels" }
        require(block.all { it.isFinite() }) { "received a block with NaN or infinite samples" }
        taken += block.size / channels
        push(block)
        return steps()
    }

    fun flush(): FloatArray {
        try {
            if (taken == 0L) return FloatArray(0)
            require(timing.filled(taken) > timing.margin) {
                "received a stream of $taken samples, expected at least ${timing.margin + 1}"
            }
            push(FloatArray((timing.filled(taken) - taken).toInt() * channels))
            pending += mirrored(timing.margin - 1)
            state = state.copyOf()
            state[LEFT] = (timing.frames(taken) -
                Math.floorDiv(stepped - timing.silence, timing.hop.toLong())).toFloat()
            val needed = (timing.skip + taken + timing.grain - 1) / timing.grain * timing.grain
            val missing = needed - stepped - pending.size / channels
            pending += FloatArray(maxOf(0L, missing).toInt() * channels)
            return steps()
        } finally {
            reset()
        }
    }

    /** Recent samples from the one at [from] backwards, as many as are mirrored. */
    private fun mirrored(from: Int) = FloatArray(timing.margin * channels) {
        recent[(from - it / channels) * channels + it % channels]
    }

    /** Add samples of the stream, and mirror its start as soon as there are enough. */
    private fun push(block: FloatArray) {
        if (timing.margin > 0) recent += block
        if (begun) {
            pending += block
        } else if (recent.size > timing.margin * channels) {
            pending += mirrored(timing.margin)
            pending += recent
            begun = true
        }
        if (begun) {
            val kept = minOf(recent.size, (timing.margin + 1) * channels)
            recent = recent.copyOfRange(recent.size - kept, recent.size)
        }
    }

    private fun steps(): FloatArray {
        var results = FloatArray(0)
        while (pending.size >= timing.grain * channels) {
            val large = pending.size >= timing.step * channels
            val size = (if (large) timing.step else timing.grain) * channels
            val (given, next) = run(pending.copyOf(size), state)
            state = next
            pending = pending.copyOfRange(size, pending.size)
            results += ofTheStream(given)
        }
        return results
    }

    /** Drop output before the stream's first sample or after its last. */
    private fun ofTheStream(given: FloatArray): FloatArray {
        val frame = channels * sources
        val count = given.size / frame
        val first = stepped - timing.skip
        stepped += count
        val from = (-first).coerceIn(0L, count.toLong()).toInt()
        val to = (taken - first).coerceIn(from.toLong(), count.toLong()).toInt()
        return given.copyOfRange(from * frame, to * frame)
    }
}
