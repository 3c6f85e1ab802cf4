import Foundation

/// Metadata of a `.tflite` file from kerasep; lengths in samples at `sampleRate`, in Hz.
///
/// A file is for recordings, with a `chunk`, or for streams, with a `timing`.
public struct About: Decodable {
    public let format: Int
    /// Names, in the order of the results.
    public let sources: [String]
    public let sampleRate: Int
    /// Channels that the model takes at once; recordings may have any number.
    public let channels: Int
    public let chunk: Int?
    /// Samples that neighbouring chunks of a long recording share.
    public let overlap: Int?
    /// Chunks start at multiples of this.
    public let hop: Int
    /// Whether the model's sources come in any order.
    public let interchangeable: Bool?
    /// After n samples of a stream, at least n - latency have come out.
    public let latency: Int?
    let timing: Timing?
    let mode: String?
    let model: String
    let kerasep, createdBy, weightsSha256, preset, licence, quantization: String?
    let frames, state: Int?
    let stft: Transform?
    let residual: String?
    /// The source that stands for the rest of the mixture.
    public private(set) var rest: String?

    private enum CodingKeys: String, CodingKey {
        case format, sources, sampleRate, channels, chunk, overlap, hop, interchangeable, latency
        case timing, mode, model, kerasep, createdBy, weightsSha256, preset, licence, quantization
        case frames, state, stft, residual
    }

    struct Transform: Decodable {
        let nFft, hop: Int
        let window: String
    }

    /// Whether the file is for streams. Earlier formats have no mode, but a timing.
    var isStreaming: Bool { mode.map { $0 == "streaming" } ?? (timing != nil) }

    init(file: Data) throws {
        try self.init(json: metadata(of: file))
    }

    init(json: Data) throws {
        try checkStrict(json)
        // A decoder does not distinguish null from a missing value.
        guard let plain = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
            throw damagedJSON
        }
        guard !["mode", "interchangeable"].contains(where: { plain[$0] is NSNull }) else {
            throw damagedJSON
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(About.self, from: json)
        } catch is DecodingError {
            throw damagedJSON
        }
        try checkBounds()
        // Files of earlier releases do not name it.
        rest = plain.keys.contains("residual") ? residual : residualSource(sources)
        if interchangeable == true { rest = nil }
    }
}

/// One line with what was received and what to do.
public struct KerasepError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
