// separate|stream MODEL IN OUT CHANNELS [BLOCK...]: floats from one file to another.
// fade - IN OUT CHANNELS CHUNK OVERLAP: the numbers of the chunks, faded into each other.
// judge - IN - 0: whether each of the JSON texts in a file, with NUL between, is accepted.
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

fun main(arguments: Array<String>) {
    val (mode, model, source, target) = arguments
    if (mode == "judge") return judge(source)
    val channels = arguments[4].toInt()
    try {
        val audio = read(source)
        if (mode == "separate") {
            val stems = Separator(model).use { it.separate(audio, channels) }
            write(target, stems.values.fold(FloatArray(0)) { all, stem -> all + stem })
        } else if (mode == "fade") {
            val (chunk, overlap) = arguments.drop(5).map { it.toInt() }
            var at = 0
            var count = -1f
            val read = { samples: Int ->
                audio.copyOfRange(at, minOf(audio.size, at + samples * channels)).also { at += it.size }
            }
            val number = { piece: FloatArray ->
                count += 1
                FloatArray(2 * piece.size) { count }
            }
            val plan = Chunking(chunk, overlap, 1, channels, 2, false)
            var given = FloatArray(0)
            crossfaded(plan, read, number) { given += it }
            write(target, given)
        } else {
            var at = 0
            val given = StreamSeparator(model).use { stream ->
                arguments.drop(5).map { it.toInt() * channels }.map { size ->
                    stream.process(audio.copyOfRange(at, at + size)).also { at += size }
                } + listOf(stream.flush())
            }
            write(target, given.reduce { all, block -> all + block })
        }
    } catch (error: IllegalArgumentException) {
        println(error.message)
        System.exit(1)
    }
}
