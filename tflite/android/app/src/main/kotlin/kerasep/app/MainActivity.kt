package kerasep.app

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.os.Bundle
import android.view.WindowManager
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.ScrollView
import android.widget.SeekBar
import android.widget.TextView
import kerasep.AudioSource
import kerasep.Mixer
import kerasep.WavSource
import java.io.File
import java.io.IOException
import java.util.concurrent.CancellationException
import java.util.concurrent.Executors

private const val PICK = 1
private const val FULL = 100 // of a gain's bar, and of the progress

/** Pick a song or record one, separate it, play and mix the stems, share them; or live. */
class MainActivity : Activity() {
    private val background = Executors.newSingleThreadExecutor()
    private val jobs by lazy { Jobs(applicationContext) }
    private val status by lazy { TextView(this).apply { setText(R.string.ready) } }
    private val progress by lazy {
        ProgressBar(this, null, android.R.attr.progressBarStyleHorizontal).apply { max = FULL }
    }
    private val gains by lazy { column() }
    private val pick by lazy { button(R.string.pick) { pickSong() } }
    private val record by lazy { button(R.string.record) { withMicrophone(::recordSong) } }
    private val live by lazy { button(R.string.live) { withMicrophone(::goLive) } }
    private val play by lazy { button(R.string.play) { playStems() } }
    private val share by lazy { button(R.string.share) { shareStems() } }
    private val stop by lazy { button(R.string.stop) { goesOn = false } }
    private var stems = emptyMap<String, File>()
    private var mixer: Mixer? = null
    private var afterPermission: (() -> Unit)? = null

    @Volatile
    private var goesOn = false

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        val views = listOf(status, progress, pick, record, live, play, stop, gains, share)
        setContentView(ScrollView(this).apply {
            fitsSystemWindows = true
            addView(column().apply { views.forEach(::addView) })
        })
        show(busy = false)
    }

    override fun onDestroy() {
        goesOn = false
        background.execute { mixer?.close() }
        background.shutdown()
        super.onDestroy()
    }

    private fun pickSong() {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT).setType("audio/*")
        startActivityForResult(intent.addCategory(Intent.CATEGORY_OPENABLE), PICK)
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        val uri = data?.data ?: return
        if (request == PICK && result == RESULT_OK) inBackground { separate(DecodedFile(this, uri)) }
    }

    private fun recordSong() = inBackground {
        say(getString(R.string.recording))
        val file = jobs.record { goesOn }
        separate(WavSource(file))
    }

    private fun separate(source: AudioSource) {
        val start = System.nanoTime()
        goesOn = true // the recording has been stopped
        val separated = jobs.separate(source) { share ->
            if (!goesOn) throw CancellationException()
            val percent = (FULL * share).toInt()
            say(getString(R.string.separating, percent))
            runOnUiThread { progress.progress = percent }
        }
        say(getString(R.string.done, (System.nanoTime() - start) / 1e9))
        runOnUiThread { adopt(separated) }
    }

    private fun adopt(separated: Map<String, File>) {
        val mixer = Mixer(separated)
        this.mixer?.close()
        this.mixer = mixer
        stems = separated
        gains.removeAllViews()
        for (name in separated.keys) {
            gains.addView(TextView(this).apply { text = name })
            gains.addView(SeekBar(this).apply {
                max = FULL
                progress = FULL
                contentDescription = name
                setOnSeekBarChangeListener(GainListener { mixer.setGain(name, it) })
            })
        }
    }

    private fun playStems() = inBackground {
        mixer?.let { mixer ->
            mixer.seek(0)
            jobs.play(mixer) { goesOn }
        }
    }

    private fun goLive() = inBackground {
        val begun = { latency: Double -> say(getString(R.string.listening, (1000 * latency).toInt())) }
        if (!jobs.live(begun) { goesOn }) say(getString(R.string.no_live))
    }

    private fun shareStems() = inBackground {
        val intent = jobs.share(stems)
        runOnUiThread { startActivity(Intent.createChooser(intent, null)) }
    }

    private fun inBackground(job: () -> Unit) {
        goesOn = true
        show(busy = true)
        background.execute {
            try {
                job()
            } catch (stopped: CancellationException) {
                say(getString(R.string.ready))
            } catch (error: IllegalArgumentException) {
                say(error.message.orEmpty())
            } catch (error: IllegalStateException) { // of a decoder
                say(error.message.orEmpty())
            } catch (error: IOException) {
                say(error.message.orEmpty())
            }
            runOnUiThread { show(busy = false) }
        }
    }

    private fun show(busy: Boolean) {
        listOf(pick, record, live).forEach { it.isEnabled = !busy }
        listOf(play, share).forEach { it.isEnabled = !busy && stems.isNotEmpty() }
        stop.isEnabled = busy
        val awake = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        if (busy) window.addFlags(awake) else window.clearFlags(awake)
    }

    private fun say(text: String) = runOnUiThread { status.text = text }

    private fun withMicrophone(action: () -> Unit) {
        if (checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED) {
            return action()
        }
        afterPermission = action
        requestPermissions(arrayOf(Manifest.permission.RECORD_AUDIO), 0)
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        if (results.firstOrNull() == PackageManager.PERMISSION_GRANTED) afterPermission?.invoke()
        else say(getString(R.string.no_microphone))
    }

    private fun column() = LinearLayout(this).apply { orientation = LinearLayout.VERTICAL }

    private fun button(text: Int, action: () -> Unit) = Button(this).apply {
        setText(text)
        setOnClickListener { action() }
    }
}

private class GainListener(private val set: (Float) -> Unit) : SeekBar.OnSeekBarChangeListener {
    override fun onProgressChanged(bar: SeekBar, value: Int, byUser: Boolean) = set(value.toFloat() / FULL)

    override fun onStartTrackingTouch(bar: SeekBar) = Unit

    override fun onStopTrackingTouch(bar: SeekBar) = Unit
}
