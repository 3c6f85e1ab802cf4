package kerasep

import kotlin.math.min

/** How a recording is cut; lengths in samples, chunk and overlap whole multiples of hop. */
internal class Chunking(
    val chunk: Int,
    val overlap: Int,
    val hop: Int,
    val channels: Int,
    val sources: Int,
    val reorder: Boolean
)

/**
 * Overlapping chunks of a recording, crossfaded as in kerasep/separation/chunks.py.
 *
 * @param read returns the next samples, interleaved, as many as requested; fewer only at the end.
 * @param process maps one whole chunk to (sample, channel, source).
 * @param write receives the next samples of all sources.
 */
internal fun crossfaded(
    plan: Chunking,
    read: (Int) -> FloatArray,
    process: (FloatArray) -> FloatArray,
    write: (FloatArray) -> Unit
) {
    val step = plan.chunk - plan.overlap
    val first = plan.overlap / 4
    val last = plan.overlap - plan.overlap / 4
    val frame = plan.channels * plan.sources
    var waiting = FloatArray(0)
    var before = FloatArray(0)
    var tail: FloatArray? = null
    var shared = FloatArray(0)
    while (true) {
        // A chunk is the last one unless there is a sample beyond it.
        waiting += read(plan.chunk + 1 - waiting.size / plan.channels)
        val length = min(waiting.size / plan.channels, plan.chunk)
        val final = waiting.size <= plan.chunk * plan.channels
        if (length == 0) return
        // The last chunk starts early enough to be whole, if the recording is that long.
        val early = if (tail == null) 0 else (plan.chunk - length) / plan.hop * plan.hop
        val piece = before.copyOfRange(before.size - early * plan.channels, before.size) +
            waiting.copyOf(length * plan.channels)
        var result = process(repeated(piece, plan.chunk * plan.channels))
            .copyOfRange(early * frame, (early + length) * frame)
        if (tail != null) {
            if (plan.reorder) {
                result = ordered(result, bestOrder(shared, result, plan.sources))
            }
            fade(tail, result, first * frame, last - first)
        }
        val begin = if (tail == null) 0 else first
        if (final) {
            write(result.copyOfRange(begin * frame, result.size))
            return
        }
        write(result.copyOfRange(begin * frame, (step + first) * frame))
        tail = result.copyOfRange((step + first) * frame, (step + last) * frame)
        shared = result.copyOfRange(step * frame, result.size)
        before = waiting.copyOf(step * plan.channels)
        waiting = waiting.copyOfRange(step * plan.channels, waiting.size)
    }
}

/**
 * Channels in groups of the size that a process takes; the last channel is repeated to fill up.
 *
 * @param withMixture whether to append the mixture to the sources.
 */
internal fun byChannelGroups(
    mixture: FloatArray,
    channels: Int,
    about: About,
    withMixture: Boolean,
    process: (FloatArray) -> FloatArray
): FloatArray {
    val samples = mixture.size / channels
    val taken = about.channels
    val sources = about.sources.size
    val lanes = if (withMixture) sources + 1 else sources
    val results = FloatArray(samples * channels * lanes)
    var reference: FloatArray? = null
    for (begin in 0 until channels step taken) {
        var group = process(FloatArray(samples * taken) {
            mixture[it / taken * channels + min(begin + it % taken, channels - 1)]
        })
        if (about.interchangeable) {
            val known = reference
            if (known == null) reference = group
            else group = ordered(group, bestOrder(known, group, sources))
        }
        for (sample in 0 until samples) {
            for (channel in 0 until min(taken, channels - begin)) {
                val from = (sample * taken + channel) * sources
                val of = sample * channels + begin + channel
                group.copyInto(results, of * lanes, from, from + sources)
                if (withMixture) results[of * lanes + sources] = mixture[of]
            }
        }
    }
    return results
}

/** Fill up a piece that is too short by repeating it. */
private fun repeated(piece: FloatArray, size: Int) = FloatArray(size) { piece[it % piece.size] }

private fun fade(tail: FloatArray, result: FloatArray, at: Int, span: Int) {
    for (i in tail.indices) {
        val rise = (i / (tail.size / span) + 0.5f) / span
        result[at + i] = tail[i] + (result[at + i] - tail[i]) * rise
    }
}
