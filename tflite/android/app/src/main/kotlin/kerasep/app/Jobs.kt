package kerasep.app

import android.content.ContentValues
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.provider.MediaStore
import kerasep.AudioSource
import kerasep.Live
import kerasep.Mixer
import kerasep.Separator
import kerasep.StreamSeparator
import kerasep.WavSink
import java.io.File
import java.io.FileNotFoundException

const val SONGS = "model.tflite" // assets
const val STREAMS = "live.tflite"
private const val DEVICE_RATE = 48000 // of nearly all phones

/** What the activity does in the background; no views here. */
class Jobs(private val context: Context) {
    /** Copy an asset to a file once, because LiteRT needs a path; null if there is none. */
    fun model(name: String): File? {
        val file = File(context.filesDir, name)
        val partial = File(context.filesDir, "$name.partial")
        try {
            context.assets.open(name).use { from -> partial.outputStream().use { from.copyTo(it) } }
        } catch (missing: FileNotFoundException) {
            return null
        }
        return file.takeIf { partial.renameTo(it) }
    }

    fun separate(source: AudioSource, progress: (Double) -> Unit): Map<String, File> {
        val path = requireNotNull(model(SONGS)) { "received no model: add $SONGS to the app's assets" }
        return source.use { Separator(path.path).use { it.separate(source, stems(), progress) } }
    }

    private fun stems() = File(context.cacheDir, "stems").apply { deleteRecursively() }

    /** Record until it may not go on, and return the recording's file. */
    fun record(goesOn: () -> Boolean): File {
        val file = File(context.cacheDir, "recording.wav")
        Microphone(DEVICE_RATE).use { microphone ->
            WavSink(file, microphone.sampleRate, microphone.channels).use { sink ->
                while (goesOn()) sink.write(microphone.read(1024))
                sink.finish()
            }
        }
        return file
    }

    fun play(mixer: Mixer, goesOn: () -> Boolean) =
        Loudspeaker(mixer.sampleRate, mixer.channels).use { mixer.play(it, goesOn) }

    /** Live: the microphone without all but the first source. begun receives the latency in s. */
    fun live(begun: (Double) -> Unit, goesOn: () -> Boolean): Boolean {
        val path = model(STREAMS) ?: return false
        StreamSeparator(path.path).use { stream ->
            Microphone(DEVICE_RATE).use { microphone ->
                Loudspeaker(DEVICE_RATE, stream.about.channels).use { loudspeaker ->
                    begun(stream.about.latency.toDouble() / stream.about.sampleRate)
                    val live = Live(microphone, loudspeaker, stream)
                    live.gains = FloatArray(stream.about.sources.size) { if (it == 0) 1f else 0f }
                    live.run(goesOn)
                }
            }
        }
        return true
    }

    /** Put the stems into the music library, and return what shares them. */
    fun share(stems: Map<String, File>): Intent {
        val uris = ArrayList<Uri>(stems.map { (name, file) -> published(name, file) })
        return Intent(Intent.ACTION_SEND_MULTIPLE)
            .setType("audio/x-wav")
            .putParcelableArrayListExtra(Intent.EXTRA_STREAM, uris)
            .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
    }

    private fun published(name: String, file: File): Uri {
        val about = ContentValues().apply {
            put(MediaStore.MediaColumns.DISPLAY_NAME, "$name.wav")
            put(MediaStore.MediaColumns.MIME_TYPE, "audio/x-wav")
            put(MediaStore.MediaColumns.RELATIVE_PATH, "Music/kerasep")
        }
        val resolver = context.contentResolver
        val uri = resolver.insert(MediaStore.Audio.Media.EXTERNAL_CONTENT_URI, about)
        requireNotNull(uri) { "cannot write to the music library" }
        resolver.openOutputStream(uri)!!.use { to -> file.inputStream().use { it.copyTo(to) } }
        return uri
    }
}
