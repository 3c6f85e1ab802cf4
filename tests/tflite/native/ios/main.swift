// separate|stream MODEL IN OUT CHANNELS RATE [model|BLOCK...]: floats from one file to another.
// resample - IN OUT CHANNELS RATE NEW_RATE
// judge - IN - 0 0: whether each of the JSON texts in a file, with NUL between, is accepted.
import Foundation

/// LiteRT's C library.
final class LiteRt: Interpreter {
    private var file = model()
    private var error = kerasep_error()
    private var opened: [String: UnsafeMutablePointer<signature>] = [:]

    init(_ path: String) throws {
        guard model_open(&file, path, 1, &error) else { throw KerasepError("cannot open \(path)") }
    }

    func run(_ key: String, inputs: [String: [Float]], outputs: [String]) throws -> [String: [Float]] {
        let of = opened[key] ?? UnsafeMutablePointer<signature>.allocate(capacity: 1)
        if opened[key] == nil {
            guard signature_open(of, &file, key, inputs.count, outputs.count, &error) else {
                throw KerasepError("no signature \(key)")
            }
            opened[key] = of
        }
        for (name, values) in inputs {
            guard let to = tensor_of(&of.pointee.inputs, name), to.pointee.count == values.count,
                tensor_set(to, values, &error)
            else { throw KerasepError("no input \(name)") }
        }
        guard signature_run(of, &error) else { throw KerasepError("cannot run \(key)") }
        return try Dictionary(uniqueKeysWithValues: outputs.map { name in
            guard let from = tensor_of(&of.pointee.outputs, name) else {
                throw KerasepError("no output \(name)")
            }
            var values = [Float](repeating: 0, count: from.pointee.count)
            guard tensor_get(from, &values, &error) else { throw KerasepError("cannot get \(name)") }
            return (name, values)
        })
    }

    private func tensor_of(_ tensors: inout (tensor, tensor), _ name: String) -> UnsafeMutablePointer<tensor>? {
        withUnsafeMutablePointer(to: &tensors) { both in
            both.withMemoryRebound(to: tensor.self, capacity: 2) { each in
                (0..<2).map { each + $0 }.first { $0.pointee.name != nil && String(cString: $0.pointee.name) == name }
            }
        }
    }
}

func floats(_ path: String) throws -> [Float] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
}

func write(_ path: String, _ values: [Float]) throws {
    try values.withUnsafeBufferPointer { Data(buffer: $0) }.write(to: URL(fileURLWithPath: path))
}

func judge(_ path: String) throws {
    for text in try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: 0, omittingEmptySubsequences: false) {
        do {
            _ = try About(json: Data(text))
            print("accepted")
        } catch {
            print("refused: \(error)")
        }
    }
}

func resampled(_ audio: [Float], _ channels: Int, _ rate: Int, _ newRate: Int) -> [Float] {
    let resampler = Resampler(from: rate, to: newRate, channels: channels)
    var result: [Float] = []
    for start in stride(from: 0, to: audio.count, by: 997 * channels) {
        result += resampler.process(Array(audio[start..<min(audio.count, start + 997 * channels)]))
    }
    return result + resampler.flush()
}

func streamed(_ path: String, _ audio: [Float], _ sizes: [Int]) throws -> [Float] {
    let stream = try StreamSeparator(path: path, open: LiteRt.init)
    var (result, at) = ([Float](), 0)
    for size in sizes {
        result += try stream.process(Array(audio[at..<at + size]))
        at += size
    }
    return try result + stream.flush()
}

let arguments = Array(CommandLine.arguments.dropFirst())
let (mode, path, source, target) = (arguments[0], arguments[1], arguments[2], arguments[3])
let (channels, rate) = (Int(arguments[4])!, Int(arguments[5])!)
let rest = Array(arguments.dropFirst(6))
do {
    switch mode {
    case "judge": try judge(source)
    case "resample": try write(target, resampled(floats(source), channels, rate, Int(rest[0])!))
    case "separate":
        let separator = try Separator(path: path, open: LiteRt.init)
        let stems = try separator.separate(
            floats(source), channels: channels, sampleRate: rate, modelBand: rest.contains("model"))
        try write(target, separator.about.sources.flatMap { stems[$0]! })
    default: try write(target, streamed(path, floats(source), rest.map { Int($0)! * channels }))
    }
} catch {
    print(error)
    exit(1)
}
