import Foundation
import TensorFlowLite

/// Separates recordings with a `.tflite` file that kerasep exported.
///
/// Audio is float with full scale 1 at `about.sampleRate`, channels interleaved. Not for several
/// threads at once, nor for the main one.
public final class Separator {
    public let about: About
    private let chunk: Int
    private let runner: SignatureRunner

    public init(path: String, threads: Int = 4) throws {
        about = try About(file: Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
        guard !about.isStreaming, let chunk = about.chunk else {
            throw KerasepError("received \(path), which is for streams: use StreamSeparator")
        }
        self.chunk = chunk
        runner = try interpreter(path, threads).signatureRunner(with: "separate")
    }

    /// Stems of a recording of any length and number of channels, by the names of the sources.
    public func separate(_ recording: [Float], channels: Int) throws -> [String: [Float]] {
        var stems = about.sources.map { _ in [Float]() }
        var taken = 0
        try separate(channels: channels) { samples in
            let end = min(recording.count, taken + samples * channels)
            defer { taken = end }
            return Array(recording[taken..<end])
        } write: { block in
            for (i, value) in block.enumerated() { stems[i % stems.count].append(value) }
        }
        return Dictionary(uniqueKeysWithValues: zip(about.sources, stems))
    }

    /// The same for recordings that do not fit into memory.
    ///
    /// - Parameters:
    ///   - read: returns the next samples, as many as requested; fewer only at the end.
    ///   - write: receives the next samples of all sources: (sample, channel, source).
    public func separate(
        channels: Int, read: (Int) throws -> [Float], write: ([Float]) throws -> Void
    ) throws {
        guard channels > 0 else {
            throw KerasepError("received \(channels) channels, expected at least 1")
        }
        let plan = Chunking(
            chunk: chunk, overlap: rounded(about.overlap ?? 0, to: about.hop), hop: about.hop,
            channels: channels, sources: about.sources.count, reorder: about.interchangeable ?? false)
        try crossfaded(plan, read: read, process: { piece in
            try byChannelGroups(piece, channels: channels, about: about) { samples in
                try runner.invoke(with: ["mixture": bytes(samples)])
                return try checked(
                    floats(try runner.output(named: "sources").data),
                    count: samples.count * about.sources.count)
            }
        }, write: write)
    }
}

func interpreter(_ path: String, _ threads: Int) throws -> Interpreter {
    var options = Interpreter.Options()
    options.threadCount = threads
    options.isXNNPackEnabled = true
    return try Interpreter(modelPath: path, options: options)
}

func bytes(_ numbers: [Float]) -> Data {
    numbers.withUnsafeBufferPointer { Data(buffer: $0) }
}

func floats(_ data: Data) -> [Float] {
    [Float](unsafeUninitializedCapacity: data.count / MemoryLayout<Float>.size) { buffer, count in
        count = data.copyBytes(to: buffer) / MemoryLayout<Float>.size
    }
}
