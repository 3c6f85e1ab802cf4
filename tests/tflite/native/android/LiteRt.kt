// What kerasep uses of com.google.ai.edge.litert:litert, on LiteRT's C library by JNA.
package com.google.ai.edge.litert

import com.sun.jna.Memory
import com.sun.jna.NativeLibrary
import com.sun.jna.Pointer
import com.sun.jna.ptr.LongByReference
import com.sun.jna.ptr.PointerByReference
import java.io.File

enum class Accelerator { CPU }

private val library = NativeLibrary.getInstance(System.getProperty("kerasep.litert"))

private fun call(function: String, vararg arguments: Any?) {
    val status = library.getFunction("LiteRt$function").invokeInt(arguments)
    check(status == 0) { "LiteRt$function returned $status" }
}

/** A pointer that the function writes to its last argument. */
private fun made(function: String, vararg arguments: Any?): Pointer =
    PointerByReference().also { call(function, *arguments, it) }.value

private fun count(function: String, of: Pointer) = LongByReference().also { call(function, of, it) }.value

private fun release(function: String, what: Pointer) {
    library.getFunction("LiteRtDestroy$function").invokeVoid(arrayOf<Any>(what))
}

private const val FLOAT = 4L
private const val READ = 0
private const val WRITE = 1
private const val CPU = 1
private const val ERRORS = 3L

/** Two options, as struct LiteRtEnvironmentOption of tflite/native/litert.h. */
private fun environment(): Pointer {
    val options = Memory(48).apply { clear() }
    for ((index, option) in listOf(25 to ERRORS, 24 to CPU.toLong()).withIndex()) {
        options.setInt(24L * index, option.first)
        options.setInt(24L * index + 8, 2)
        options.setLong(24L * index + 16, option.second)
    }
    return made("CreateEnvironment", 2, options)
}

class TensorBuffer internal constructor(internal val handle: Pointer, private val size: Int) :
    AutoCloseable {
    fun writeFloat(data: FloatArray) {
        check(data.size == size) { "wrote ${data.size} of $size" }
        locked(WRITE) { it.write(0, data, 0, size) }
    }

    fun readFloat() = FloatArray(size).also { data -> locked(READ) { it.read(0, data, 0, size) } }

    private fun locked(mode: Int, use: (Pointer) -> Unit) {
        val memory = PointerByReference()
        call("LockTensorBuffer", handle, memory, mode)
        use(memory.value)
        call("UnlockTensorBuffer", handle)
    }

    override fun close() = release("TensorBuffer", handle)
}

class CompiledModel private constructor(path: String) : AutoCloseable {
    data class CpuOptions(val numThreads: Int? = null)

    class Options(vararg val accelerators: Accelerator) {
        var cpuOptions: CpuOptions? = null
    }

    private val environment = environment()
    private val bytes = File(path).readBytes().let { content ->
        Memory(content.size.toLong()).apply { write(0, content, 0, content.size) }
    }
    private val model = made("CreateModelFromBuffer", environment, bytes, bytes.size())
    private val compiled: Pointer

    init {
        val options = made("CreateOptions")
        call("SetOptionsHardwareAccelerators", options, CPU)
        compiled = made("CreateCompiledModel", environment, model, options)
        release("Options", options)
    }

    private fun signatures() = (0 until count("GetNumModelSignatures", model)).map {
        made("GetModelSignature", model, it)
    }

    private fun index(signature: String?) = signatures().indexOfFirst {
        made("GetSignatureKey", it).getString(0) == signature
    }.also { check(it >= 0) { "no signature $signature" } }

    private fun names(kind: String, signature: Int): List<String> {
        val of = signatures()[signature]
        return (0 until count("GetNumSignature${kind}s", of)).map {
            made("GetSignature${kind}Name", of, it).getString(0)
        }
    }

    fun createInputBuffer(inputName: String, signature: String? = null) =
        buffer("Input", inputName, signature)

    fun createOutputBuffer(outputName: String, signature: String? = null) =
        buffer("Output", outputName, signature)

    private fun buffer(kind: String, name: String, signature: String?): TensorBuffer {
        val of = index(signature)
        val at = names(kind, of).indexOf(name).toLong()
        check(at >= 0) { "no tensor $name" }
        val type = Memory(76)
        call("GetRankedTensorType", made("GetSignature${kind}TensorByIndex", signatures()[of], at), type)
        val rank = type.getByte(4).toInt() and 0x7F
        val size = (0 until rank).fold(1) { all, axis -> all * type.getInt(8 + FLOAT * axis) }
        val needs = made("GetCompiledModel${kind}BufferRequirements", compiled, of.toLong(), at)
        val handle = made("CreateManagedTensorBufferFromRequirements", environment, type, needs)
        return TensorBuffer(handle, size)
    }

    fun run(
        inputs: Map<String, TensorBuffer>,
        outputs: Map<String, TensorBuffer>,
        signature: String? = null
    ) {
        val of = index(signature)
        val given = names("Input", of).map { inputs.getValue(it).handle }
        val results = names("Output", of).map { outputs.getValue(it).handle }
        call(
            "RunCompiledModel", compiled, of.toLong(), given.size.toLong(), pointers(given),
            results.size.toLong(), pointers(results)
        )
    }

    private fun pointers(handles: List<Pointer>) = Memory(8L * maxOf(1, handles.size)).apply {
        handles.forEachIndexed { index, handle -> setPointer(8L * index, handle) }
    }

    override fun close() {
        release("CompiledModel", compiled)
        release("Model", model)
        release("Environment", environment)
    }

    companion object {
        @JvmStatic
        fun create(filePath: String, options: Options = Options(Accelerator.CPU)): CompiledModel {
            check(options.cpuOptions != null)
            return CompiledModel(filePath)
        }
    }
}
