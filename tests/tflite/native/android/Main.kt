// separate|stream MODEL IN OUT CHANNELS [BLOCK...]: floats from one file to another.
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

fun main(arguments: Array<String>) {
    val (mode, model, source, target) = arguments
    val channels = arguments[4].toInt()
    try {
        val audio = read(source)
        if (mode == "separate") {
            val stems = Separator(model).use { it.separate(audio, channels) }
            write(target, stems.values.fold(FloatArray(0)) { all, stem -> all + stem })
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
