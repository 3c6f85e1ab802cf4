import Foundation

/// What a `.tflite` file from kerasep says about itself; lengths in samples at `sampleRate`, in Hz.
///
/// It is for recordings, with a `chunk`, or for streams, with a `timing`.
public struct About: Decodable {
    public let format: Int
    /// Names, in the order of all results.
    public let sources: [String]
    public let sampleRate: Int
    /// That the model takes at once; recordings may have any number.
    public let channels: Int
    public let chunk: Int?
    /// That neighbouring chunks of a long recording share.
    public let overlap: Int?
    /// Chunks start at multiples of this.
    public let hop: Int
    /// Whether the model gives its sources in any order.
    public let interchangeable: Bool?
    /// After n samples of a stream, n - latency and more have come out.
    public let latency: Int?
    let timing: Timing?

    init(file: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(About.self, from: metadata(of: file))
        guard format <= 2 else {
            throw KerasepError("received a file of a later format (\(format), expected 2)")
        }
    }
}

/// One line that says what was received and what to do.
public struct KerasepError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
