import Foundation

/// Separates recordings with a `.tflite` file that kerasep exported.
///
/// Audio is float with full scale 1, channels interleaved, at any rate. Not for several threads at
/// once, nor for the main one.
public final class Separator {
    public let about: About
    private let chunk: Int
    private let model: Interpreter

    /// open: opens the file.
    public init(path: String, open: (String) throws -> Interpreter) throws {
        about = try About(file: Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
        guard !about.isStreaming, let chunk = about.chunk else {
            throw KerasepError("received \(path), which is for streams: use StreamSeparator")
        }
        self.chunk = chunk
        model = try open(path)
    }

    /// Stems of a recording of any length and number of channels, by the names of the sources.
    public func separate(
        _ recording: [Float], channels: Int, sampleRate: Int? = nil, modelBand: Bool = false
    ) throws -> [String: [Float]] {
        guard channels > 0 else {
            throw KerasepError("received \(channels) channels, expected at least 1")
        }
        let source = ArraySource(recording, sampleRate: sampleRate ?? about.sampleRate, channels: channels)
        var stems = about.sources.map { _ in [Float]() }
        try separate(source, modelBand: modelBand) { block in
            for (i, value) in block.enumerated() { stems[i % stems.count].append(value) }
        }
        return Dictionary(uniqueKeysWithValues: zip(about.sources, stems))
    }

    /// The same for recordings that do not fit into memory.
    ///
    /// - Parameters:
    ///   - modelBand: whether the stems end with the model's band; otherwise `about.rest` gets what
    ///     lies beyond, and the stems add up to the mixture at its own rate.
    ///   - write: receives the next samples of all sources: (sample, channel, source).
    public func separate(
        _ source: AudioSource, modelBand: Bool = false, write: @escaping ([Float]) throws -> Void
    ) throws {
        let channels = source.channels
        if source.sampleRate == about.sampleRate {
            return try chunks(channels, withMixture: false, read: source.read, write: write)
        }
        let residual = modelBand ? nil : about.rest.flatMap { about.sources.firstIndex(of: $0) }
        try separateResampled(
            rate: source.sampleRate, modelRate: about.sampleRate, channels: channels,
            sources: about.sources.count, residual: residual,
            separate: { read, writeLow in
                try chunks(channels, withMixture: residual != nil, read: read, write: writeLow)
            }, read: source.read, write: write)
    }

    private func chunks(_ channels: Int, withMixture: Bool, read: Read, write: Write) throws {
        let plan = Chunking(
            chunk: chunk, overlap: rounded(about.overlap ?? 0, to: about.hop), hop: about.hop,
            channels: channels, sources: about.sources.count + (withMixture ? 1 : 0),
            reorder: about.interchangeable ?? false)
        try crossfaded(plan, read: read, process: { piece in
            try byChannelGroups(piece, channels: channels, about: about, withMixture: withMixture) {
                try checked(
                    model.run("separate", inputs: ["mixture": $0], outputs: ["sources"])["sources"] ?? [],
                    count: $0.count * about.sources.count)
            }
        }, write: write)
    }
}
