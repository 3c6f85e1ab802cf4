package kerasep

import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel

/** Find the JSON that kerasep wrote into a `.tflite` file; LiteRT's Kotlin API has no access. */
internal fun readMetadata(path: String): ByteArray {
    require(File(path).isFile) { "received $path, expected a .tflite file: there is no such file" }
    val bytes = RandomAccessFile(path, "r").use {
        it.channel.map(FileChannel.MapMode.READ_ONLY, 0, it.length())
    }
    try {
        return requireNotNull(found(bytes.order(ByteOrder.LITTLE_ENDIAN))) {
            "received $path, a TFLite file without kerasep's metadata: export a model to get one"
        }
    } catch (error: IndexOutOfBoundsException) {
        throw IllegalArgumentException("received $path, which is damaged: export again", error)
    }
}

// Positions of fields in the tables of TFLite's schema.
private const val MODEL_BUFFERS = 4
private const val MODEL_METADATA = 6
private const val METADATA_NAME = 0
private const val METADATA_BUFFER = 1
private const val BUFFER_DATA = 0

private fun found(bytes: ByteBuffer): ByteArray? {
    val identifier = ByteArray(4) { bytes.get(4 + it) }
    if (String(identifier, Charsets.US_ASCII) != "TFL3") return null
    val model = Table(bytes, bytes.getInt(0))
    for (entry in model.tables(MODEL_METADATA)) {
        if (entry.data(METADATA_NAME).contentEquals("kerasep".toByteArray())) {
            return model.tables(MODEL_BUFFERS)[entry.integer(METADATA_BUFFER)].data(BUFFER_DATA)
        }
    }
    return null
}

/** One table of a FlatBuffer. */
private class Table(private val bytes: ByteBuffer, private val at: Int) {
    /** Position of a field; null if it is absent. */
    private fun field(place: Int): Int? {
        val index = at - bytes.getInt(at)
        val entry = 4 + 2 * place
        if (entry >= bytes.getShort(index)) return null
        val offset = bytes.getShort(index + entry).toInt() and 0xFFFF
        return if (offset == 0) null else at + offset
    }

    private fun vector(place: Int): Int? = field(place)?.let { it + bytes.getInt(it) }

    fun integer(place: Int): Int = field(place)?.let { bytes.getInt(it) } ?: 0

    fun data(place: Int): ByteArray {
        val vector = vector(place) ?: return ByteArray(0)
        val size = bytes.getInt(vector)
        if (size < 0 || size > bytes.limit() - vector) throw IndexOutOfBoundsException()
        return ByteArray(size) { bytes.get(vector + 4 + it) }
    }

    fun tables(place: Int): List<Table> {
        val vector = vector(place) ?: return emptyList()
        val size = bytes.getInt(vector)
        if (size < 0 || size > bytes.limit() / 4) throw IndexOutOfBoundsException()
        return (1..size).map { vector + 4 * it }.map { Table(bytes, it + bytes.getInt(it)) }
    }
}
