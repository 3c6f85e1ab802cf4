/// A recording or a microphone: interleaved floats, full scale 1.
public protocol AudioSource: AnyObject {
    /// In Hz.
    var sampleRate: Int { get }
    var channels: Int { get }
    /// Return the next samples, as many as requested; fewer only at the end.
    func read(_ samples: Int) throws -> [Float]
}

/// A recording in memory.
public final class ArraySource: AudioSource {
    public let sampleRate, channels: Int
    private let audio: [Float]
    private var taken = 0

    public init(_ audio: [Float], sampleRate: Int, channels: Int) {
        self.audio = audio
        self.sampleRate = sampleRate
        self.channels = channels
    }

    public func read(_ samples: Int) -> [Float] {
        let end = min(audio.count, taken + samples * channels)
        defer { taken = end }
        return Array(audio[taken..<end])
    }
}
