import Foundation
import Kerasep
import TensorFlowLite

/// TensorFlowLite's interpreter, on the processor.
final class TensorFlowLiteInterpreter: Kerasep.Interpreter {
    private let model: TensorFlowLite.Interpreter
    private var runners: [String: SignatureRunner] = [:]

    init(path: String, threads: Int) throws {
        var options = TensorFlowLite.Interpreter.Options()
        options.threadCount = threads
        options.isXNNPackEnabled = true
        model = try TensorFlowLite.Interpreter(modelPath: path, options: options)
    }

    func run(_ signature: String, inputs: [String: [Float]], outputs: [String]) throws -> [String: [Float]] {
        let runner = try runners[signature] ?? model.signatureRunner(with: signature)
        runners[signature] = runner
        try runner.invoke(with: inputs.mapValues { $0.withUnsafeBufferPointer { Data(buffer: $0) } })
        return try Dictionary(uniqueKeysWithValues: outputs.map { name in
            (name, floats(try runner.output(named: name).data))
        })
    }

    private func floats(_ data: Data) -> [Float] {
        [Float](unsafeUninitializedCapacity: data.count / MemoryLayout<Float>.size) { buffer, count in
            count = data.copyBytes(to: buffer) / MemoryLayout<Float>.size
        }
    }
}
