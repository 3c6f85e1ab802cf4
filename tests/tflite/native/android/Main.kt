// separate|files|live|stream MODEL IN OUT CHANNELS RATE [BLOCK...]: floats from one file to another.
// resample - IN OUT CHANNELS RATE NEW_RATE BLOCK
// mix - FOLDER OUT 0 0 STEM=GAIN...
// fade - IN OUT CHANNELS 0 CHUNK OVERLAP: the numbers of the chunks, faded into each other.
// judge - IN - 0 0: whether each of the JSON texts in a file, with NUL between, is accepted.
package kerasep

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

fun read(path: String): FloatArray {
    val bytes = ByteBuffer.wrap(File(path).readBytes()).order(ByteOrder.LITTLE_ENDIAN)
    return FloatArray(bytes.limit() / 4) { bytes.getFloat(4 * it) }
}

fun write(path: String, numbers: FloatArray) {
    val bytes = ByteBuffer.allocate(4 * numbers.size).order(ByteOrder.LITTLE_ENDIAN)
    numbers.forEach { bytes.putFloat(it) }
    File(path).writeBytes(bytes.array())
}

fun judge(path: String) {
    // Latin 1 has a letter for each byte.
    for (text in String(File(path).readBytes(), Charsets.ISO_8859_1).split('\u0000')) {
        try {
            About(text.toByteArray(Charsets.ISO_8859_1))
            println("accepted")
        } catch (error: IllegalArgumentException) {
            println("refused: ${error.message}")
        }
    }
}

class ArraySink : AudioSink {
    var written = FloatArray(0)

    override fun write(block: FloatArray) {
        written += block
    }

    override fun close() = Unit
}

fun inBlocks(audio: FloatArray, sizes: List<Int>, use: (FloatArray) -> FloatArray): FloatArray {
    var at = 0
    var given = FloatArray(0)
    for (size in sizes) {
        given += use(audio.copyOfRange(at, minOf(audio.size, at + size)))
        at = minOf(audio.size, at + size)
    }
    return given
}

fun faded(audio: FloatArray, channels: Int, chunk: Int, overlap: Int): FloatArray {
    val source = ArraySource(audio, 1, channels)
    var count = -1f
    val number = { piece: FloatArray ->
        count += 1
        FloatArray(2 * piece.size) { count }
    }
    var given = FloatArray(0)
    crossfaded(Chunking(chunk, overlap, 1, channels, 2, false), source::read, number) { given += it }
    return given
}

fun resampled(audio: FloatArray, channels: Int, rate: Int, newRate: Int, block: Int): FloatArray {
    val resampler = Resampler(rate, newRate, channels)
    val blocks = List(audio.size / channels / block + 1) { block * channels }
    return inBlocks(audio, blocks, resampler::process) + resampler.flush()
}

fun mixed(folder: String, gains: List<String>): FloatArray {
    val mixer = Mixer(gains.map { it.substringBefore('=') }.associateWith { File(folder, "$it.wav") })
    val sink = ArraySink()
    mixer.use {
        for (gain in gains) mixer.setGain(gain.substringBefore('='), gain.substringAfter('=').toFloat())
        mixer.read(999)
        mixer.seek(7)
        mixer.play(sink) { true }
    }
    return sink.written
}

fun live(model: String, source: AudioSource): FloatArray {
    val sink = ArraySink()
    StreamSeparator(model).use { stream ->
        Live(source, sink, stream).apply { gains = floatArrayOf(1f, 0f) }.run { true }
    }
    return sink.written
}

fun files(model: String, source: AudioSource, folder: String) {
    val shares = mutableListOf<Double>()
    Separator(model).use { it.separate(source, File(folder)) { share -> shares += share } }
    check(shares == shares.sorted() && shares.last() == 1.0)
}

fun main(arguments: Array<String>) {
    val (mode, model, source, target) = arguments
    val (channels, rate) = arguments.slice(4..5).map { it.toInt() }
    val rest = arguments.drop(6)
    if (mode == "judge") return judge(source)
    if (mode == "mix") return write(target, mixed(source, rest))
    try {
        val audio = read(source)
        val recording = ArraySource(audio, rate, channels)
        when (mode) {
            "separate" -> Separator(model).use {
                val stems = it.separate(audio, channels, rate, "model" in rest)
                write(target, stems.values.fold(FloatArray(0)) { all, stem -> all + stem })
            }
            "files" -> files(model, recording, target)
            "live" -> write(target, live(model, recording))
            "resample" -> write(target, resampled(audio, channels, rate, rest[0].toInt(), rest[1].toInt()))
            "fade" -> write(target, faded(audio, channels, rest[0].toInt(), rest[1].toInt()))
            else -> StreamSeparator(model).use { stream ->
                val sizes = rest.map { it.toInt() * channels }
                write(target, inBlocks(audio, sizes, stream::process) + stream.flush())
            }
        }
    } catch (error: IllegalArgumentException) {
        println(error.message)
        System.exit(1)
    }
}
