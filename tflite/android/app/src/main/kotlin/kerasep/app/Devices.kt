package kerasep.app

import android.annotation.SuppressLint
import android.media.AudioAttributes
import android.media.AudioFormat
import android.media.AudioRecord
import android.media.AudioTrack
import android.media.MediaRecorder
import kerasep.AudioSink
import kerasep.AudioSource

/** The microphone, mono, without the device's own noise suppression where it can be avoided. */
@SuppressLint("MissingPermission") // the activity asks before
class Microphone(override val sampleRate: Int) : AudioSource {
    override val channels = 1
    override val samples: Long? = null
    private val record = AudioRecord(
        MediaRecorder.AudioSource.UNPROCESSED, sampleRate, AudioFormat.CHANNEL_IN_MONO,
        AudioFormat.ENCODING_PCM_FLOAT,
        AudioRecord.getMinBufferSize(
            sampleRate, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_FLOAT
        )
    ).apply { startRecording() }

    override fun read(samples: Int): FloatArray {
        val block = FloatArray(samples)
        val count = record.read(block, 0, samples, AudioRecord.READ_BLOCKING)
        return if (count == samples) block else block.copyOf(maxOf(0, count))
    }

    override fun close() = record.release()
}

/** The loudspeaker or headphones; more than two channels are cut to two. */
class Loudspeaker(sampleRate: Int, private val channels: Int) : AudioSink {
    private val format = AudioFormat.Builder()
        .setSampleRate(sampleRate)
        .setEncoding(AudioFormat.ENCODING_PCM_FLOAT)
        .setChannelMask(
            if (channels == 1) AudioFormat.CHANNEL_OUT_MONO else AudioFormat.CHANNEL_OUT_STEREO
        )
        .build()
    private val attributes = AudioAttributes.Builder()
        .setUsage(AudioAttributes.USAGE_MEDIA)
        .setContentType(AudioAttributes.CONTENT_TYPE_MUSIC)
        .build()
    private val track = AudioTrack.Builder()
        .setAudioFormat(format)
        .setAudioAttributes(attributes)
        .setPerformanceMode(AudioTrack.PERFORMANCE_MODE_LOW_LATENCY)
        .build()
        .apply { play() }

    override fun write(block: FloatArray) {
        val heard = if (channels <= 2) block else FloatArray(block.size / channels * 2) {
            block[it / 2 * channels + it % 2]
        }
        track.write(heard, 0, heard.size, AudioTrack.WRITE_BLOCKING)
    }

    override fun close() = track.release()
}
