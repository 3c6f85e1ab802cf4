package kerasep.app

import android.content.Context
import android.media.AudioFormat
import android.media.MediaCodec
import android.media.MediaExtractor
import android.media.MediaFormat
import android.net.Uri
import kerasep.AudioSource
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A recording in any format that the device decodes. */
class DecodedFile(context: Context, uri: Uri) : AudioSource {
    private val extractor = MediaExtractor().apply { setDataSource(context, uri, null) }
    private val track = (0 until extractor.trackCount).firstOrNull {
        extractor.getTrackFormat(it).getString(MediaFormat.KEY_MIME).orEmpty().startsWith("audio/")
    } ?: throw IllegalArgumentException("received a file without audio: pick a song")
    private val format = extractor.getTrackFormat(track)
    private val codec = MediaCodec.createDecoderByType(format.getString(MediaFormat.KEY_MIME)!!)
    private val info = MediaCodec.BufferInfo()
    private var held = FloatArray(0)
    private var ended = false

    /** Of the decoder's output; the file's header may say something else. */
    override var sampleRate = format.getInteger(MediaFormat.KEY_SAMPLE_RATE)
        private set
    override var channels = format.getInteger(MediaFormat.KEY_CHANNEL_COUNT)
        private set
    override val samples: Long?
    private var encoding = AudioFormat.ENCODING_PCM_16BIT

    init {
        extractor.selectTrack(track)
        codec.configure(format, null, null, 0)
        codec.start()
        while (held.isEmpty() && !ended) decode()
        samples = if (!format.containsKey(MediaFormat.KEY_DURATION)) null
        else format.getLong(MediaFormat.KEY_DURATION) * sampleRate / 1_000_000
    }

    override fun read(samples: Int): FloatArray {
        while (!ended && held.size < samples * channels) decode()
        val size = minOf(held.size, samples * channels)
        return held.copyOf(size).also { held = held.copyOfRange(size, held.size) }
    }

    private fun decode() {
        val input = codec.dequeueInputBuffer(0)
        if (input >= 0) feed(input)
        val output = codec.dequeueOutputBuffer(info, 10_000)
        if (output == MediaCodec.INFO_OUTPUT_FORMAT_CHANGED) return adopt(codec.outputFormat)
        if (output < 0) return
        held += floats(codec.getOutputBuffer(output)!!)
        codec.releaseOutputBuffer(output, false)
        ended = info.flags and MediaCodec.BUFFER_FLAG_END_OF_STREAM != 0
    }

    private fun feed(index: Int) {
        val size = extractor.readSampleData(codec.getInputBuffer(index)!!, 0)
        if (size < 0) {
            codec.queueInputBuffer(index, 0, 0, 0, MediaCodec.BUFFER_FLAG_END_OF_STREAM)
        } else {
            codec.queueInputBuffer(index, 0, size, extractor.sampleTime, 0)
            extractor.advance()
        }
    }

    private fun adopt(output: MediaFormat) {
        sampleRate = output.getInteger(MediaFormat.KEY_SAMPLE_RATE)
        channels = output.getInteger(MediaFormat.KEY_CHANNEL_COUNT)
        if (output.containsKey(MediaFormat.KEY_PCM_ENCODING)) {
            encoding = output.getInteger(MediaFormat.KEY_PCM_ENCODING)
        }
    }

    private fun floats(buffer: ByteBuffer): FloatArray {
        buffer.position(info.offset).limit(info.offset + info.size)
        val bytes = buffer.slice().order(ByteOrder.nativeOrder())
        if (encoding == AudioFormat.ENCODING_PCM_FLOAT) {
            return FloatArray(info.size / 4).also { bytes.asFloatBuffer().get(it) }
        }
        val shorts = bytes.asShortBuffer()
        return FloatArray(info.size / 2) { shorts.get(it) / 32768f }
    }

    override fun close() {
        codec.release()
        extractor.release()
    }
}
