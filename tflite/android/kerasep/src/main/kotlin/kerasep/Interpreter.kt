package kerasep

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer
import java.io.Closeable

/** Runs the signatures of a `.tflite` file. Tensors are flat arrays, by name. */
interface Interpreter : Closeable {
    /** Run a signature, and return its outputs of these names. */
    fun run(
        signature: String,
        inputs: Map<String, FloatArray>,
        outputs: Collection<String>
    ): Map<String, FloatArray>
}

/** LiteRT's `CompiledModel`, on the processor: accelerators cannot run loops and transforms. */
class LiteRtInterpreter(path: String, threads: Int) : Interpreter {
    private val model = CompiledModel.create(path, CompiledModel.Options(Accelerator.CPU).apply {
        cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
    })
    private val buffers = mutableMapOf<Triple<String, String, Boolean>, TensorBuffer>()

    override fun run(
        signature: String,
        inputs: Map<String, FloatArray>,
        outputs: Collection<String>
    ): Map<String, FloatArray> {
        val given = inputs.mapValues { (name, values) ->
            buffers.getOrPut(Triple(signature, name, true)) { model.createInputBuffer(name, signature) }
                .also { it.writeFloat(values) }
        }
        val results = outputs.associate { name ->
            name to buffers.getOrPut(Triple(signature, name, false)) {
                model.createOutputBuffer(name, signature)
            }
        }
        model.run(given, results, signature)
        return results.mapValues { it.value.readFloat() }
    }

    override fun close() {
        buffers.values.forEach { it.close() }
        model.close()
    }
}
