// What kerasep uses of com.google.ai.edge.litert:litert, with the toys of these tests inside.
package com.google.ai.edge.litert

enum class Accelerator { CPU }

class TensorBuffer internal constructor(internal var numbers: FloatArray) : AutoCloseable {
    fun writeFloat(data: FloatArray) {
        check(data.size == numbers.size) { "wrote ${data.size} of ${numbers.size}" }
        numbers = data.copyOf()
    }

    fun readFloat(): FloatArray = numbers.copyOf()

    override fun close() = Unit
}

class CompiledModel private constructor() : AutoCloseable {
    data class CpuOptions(val numThreads: Int? = null)

    class Options(vararg val accelerators: Accelerator) {
        var cpuOptions: CpuOptions? = null
    }

    fun createInputBuffer(inputName: String, signature: String? = null) = buffer(inputName, signature)

    fun createOutputBuffer(outputName: String, signature: String? = null) =
        buffer(outputName, signature)

    private fun buffer(name: String, signature: String?) = TensorBuffer(
        FloatArray(
            when (name) {
                "state" -> HEAD + LAG * CHANNELS
                "mixture" -> samples(signature)
                "sources" -> 2 * samples(signature)
                else -> error("no tensor $name")
            }
        )
    )

    private fun samples(signature: String?) = when (signature) {
        "separate" -> 400
        "step" -> 32 * CHANNELS
        "step1" -> 8 * CHANNELS
        else -> error("no signature $signature")
    }

    fun run(
        inputs: Map<String, TensorBuffer>,
        outputs: Map<String, TensorBuffer>,
        signature: String? = null
    ) {
        when (signature) {
            "separate" -> separate(inputs.getValue("mixture").numbers, outputs.getValue("sources"))
            "reset" -> outputs.getValue("state").numbers[1] = -1f
            else -> step(
                inputs.getValue("mixture").numbers, inputs.getValue("state").numbers,
                outputs.getValue("sources"), outputs.getValue("state")
            )
        }
    }

    /** The mixture, rising, and a quarter of its square, in an order of each chunk's own. */
    private fun separate(mixture: FloatArray, sources: TensorBuffer) {
        val exchanged = mixture.fold(0f) { sum, value -> sum + value } > 0
        sources.numbers = FloatArray(2 * mixture.size) {
            val value = mixture[it / 2] * (1 + it / 2 / 400f)
            if ((it % 2 == 0) != exchanged) value else 0.25f * value * value
        }
    }

    /** The mixture and how many frames are left, late. */
    private fun step(
        mixture: FloatArray, state: FloatArray, sources: TensorBuffer, after: TensorBuffer
    ) {
        val joint = state.copyOfRange(HEAD, state.size) + mixture
        sources.numbers = FloatArray(2 * mixture.size) {
            if (it % 2 == 0) joint[it / 2] else state[1]
        }
        after.numbers = state.copyOf(HEAD) + joint.copyOfRange(mixture.size, joint.size)
    }

    override fun close() = Unit

    companion object {
        private const val HEAD = 2
        private const val CHANNELS = 2
        private const val LAG = 16

        @JvmStatic
        fun create(filePath: String, options: Options = Options(Accelerator.CPU)): CompiledModel {
            check(options.cpuOptions != null && filePath.isNotEmpty())
            return CompiledModel()
        }
    }
}
