/// Runs the signatures of a `.tflite` file. Tensors are flat arrays, by name.
public protocol Interpreter: AnyObject {
    /// Run a signature, and return its outputs of these names.
    func run(_ signature: String, inputs: [String: [Float]], outputs: [String]) throws -> [String: [Float]]
}
