import Foundation

/// Streams with a file exported for them: blocks of any size in, sources out when they are ready.
///
/// Audio is at `about.sampleRate`, with the channels of the model; the output is (sample, channel,
/// source), late by `about.latency`.
public final class StreamSeparator {
    public let about: About
    private var blocks: Blocks

    /// open: opens the file.
    public init(path: String, open: (String) throws -> Interpreter) throws {
        let about = try About(
            file: Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
        guard about.isStreaming, let timing = about.timing else {
            throw KerasepError("received \(path), which cannot stream: export a causal model for it")
        }
        let model = try open(path)
        let start = try model.run("reset", inputs: [:], outputs: ["state"])["state"] ?? []
        self.about = about
        blocks = Blocks(
            timing: timing, channels: about.channels, sources: about.sources.count, start: start
        ) { block, state in
            let signature = block.count == timing.step * about.channels ? "step" : "step1"
            let results = try model.run(
                signature, inputs: ["mixture": block, "state": state], outputs: ["sources", "state"])
            return (
                try checked(results["sources"] ?? [], count: block.count * about.sources.count),
                results["state"] ?? []
            )
        }
    }

    /// Process a block, and return the samples that are ready.
    public func process(_ block: [Float]) throws -> [Float] {
        try blocks.process(block)
    }

    /// End the stream: return the remaining samples. The next block starts a new stream.
    public func flush() throws -> [Float] {
        try blocks.flush()
    }
}
