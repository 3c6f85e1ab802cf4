import AVFoundation
import Kerasep

/// A recording in any format that the device decodes.
final class FileSource: AudioSource {
    private let file: AVAudioFile
    let sampleRate, channels: Int
    var samples: Int { Int(file.length) }

    init(_ url: URL) throws {
        file = try AVAudioFile(forReading: url)
        sampleRate = Int(file.processingFormat.sampleRate)
        channels = Int(file.processingFormat.channelCount)
    }

    func read(_ samples: Int) throws -> [Float] {
        let count = min(samples, Int(file.length - file.framePosition))
        guard count > 0,
            let buffer = AVAudioPCMBuffer(
                pcmFormat: file.processingFormat, frameCapacity: AVAudioFrameCount(count))
        else { return [] }
        try file.read(into: buffer, frameCount: AVAudioFrameCount(count))
        guard let planes = buffer.floatChannelData else { return [] }
        return (0..<Int(buffer.frameLength) * channels).map { planes[$0 % channels][$0 / channels] }
    }
}

/// WAV files of the stems, written block by block.
final class StemFiles {
    let urls: [URL]
    private let files: [AVAudioFile]
    private let format: AVAudioFormat

    init(names: [String], folder: URL, sampleRate: Int, channels: Int) throws {
        let layout = AVAudioFormat(
            commonFormat: .pcmFormatFloat32, sampleRate: Double(sampleRate),
            channels: AVAudioChannelCount(channels), interleaved: false)
        guard let format = layout else { throw CocoaError(.fileWriteUnknown) }
        self.format = format
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let urls = names.map { folder.appendingPathComponent("\($0).wav") }
        self.urls = urls
        files = try urls.map { try AVAudioFile(forWriting: $0, settings: format.settings) }
    }

    /// sources: (sample, channel, source).
    func write(_ sources: [Float]) throws {
        let channels = Int(format.channelCount)
        let samples = sources.count / channels / files.count
        for (index, file) in files.enumerated() {
            guard
                let buffer = AVAudioPCMBuffer(
                    pcmFormat: format, frameCapacity: AVAudioFrameCount(samples)),
                let planes = buffer.floatChannelData
            else { throw CocoaError(.fileWriteUnknown) }
            buffer.frameLength = AVAudioFrameCount(samples)
            for sample in 0..<samples {
                for channel in 0..<channels {
                    planes[channel][sample] =
                        sources[(sample * channels + channel) * files.count + index]
                }
            }
            try file.write(from: buffer)
        }
    }
}
