package kerasep

import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val HEADER = 44
private const val MOST_BYTES = 0xFFFFFFFFL - HEADER

/** Writes a WAV file of 32-bit floats, which has its name only when it is complete. */
class WavSink(private val file: File, sampleRate: Int, private val channels: Int) : AudioSink {
    private val partial = File("$file.partial")
    private val output = RandomAccessFile(partial, "rw").apply { setLength(0) }
    private var bytes = 0L
    private val header = header(sampleRate, channels)

    init {
        output.write(header.array())
    }

    override fun write(block: FloatArray) {
        bytes += 4L * block.size
        require(bytes <= MOST_BYTES) { "received more than 4 GiB of audio: cut the recording" }
        output.write(littleEndian(4 * block.size).apply { asFloatBuffer().put(block) }.array())
    }

    /** Complete the file. */
    fun finish() {
        header.putInt(4, (bytes + HEADER - 8).toInt()).putInt(HEADER - 4, bytes.toInt())
        output.seek(0)
        output.write(header.array())
        output.close()
        require(partial.renameTo(file)) { "cannot write $file: check the folder" }
    }

    /** Close, and remove a file that is not complete. */
    override fun close() {
        output.close()
        partial.delete()
    }
}

/** Reads a file that [WavSink] wrote. */
class WavSource(file: File) : AudioSource {
    private val input = RandomAccessFile(file, "r")
    private val header = littleEndian(HEADER).also { input.readFully(it.array()) }
    override val sampleRate = header.getInt(24)
    override val channels = header.getShort(22).toInt()
    override val samples: Long? = (input.length() - HEADER) / (4 * channels)
    private var taken = 0L

    override fun read(samples: Int): FloatArray {
        val count = minOf(samples.toLong(), this.samples!! - taken).toInt()
        val bytes = littleEndian(4 * count * channels)
        input.readFully(bytes.array())
        taken += count
        return FloatArray(count * channels).also { bytes.asFloatBuffer().get(it) }
    }

    /** Continue from a sample on. */
    fun seek(sample: Long) {
        taken = sample.coerceIn(0L, samples!!)
        input.seek(HEADER + 4L * channels * taken)
    }

    override fun close() = input.close()
}

private fun littleEndian(bytes: Int) = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN)

private fun header(sampleRate: Int, channels: Int) = littleEndian(HEADER).apply {
    put("RIFF".toByteArray()).putInt(0).put("WAVEfmt ".toByteArray()).putInt(16)
    putShort(3).putShort(channels.toShort()).putInt(sampleRate) // 3: floats
    putInt(4 * sampleRate * channels).putShort((4 * channels).toShort()).putShort(32)
    put("data".toByteArray()).putInt(0)
}
