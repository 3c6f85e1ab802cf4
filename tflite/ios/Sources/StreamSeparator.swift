import Foundation
import TensorFlowLite

/// Streams with a file exported for them: blocks of any size in, sources out when they are ready.
///
/// Audio is as in `Separator`, with the channels of the model; the output is (sample, channel,
/// source), late by `about.latency`.
public final class StreamSeparator {
    public let about: About
    private var blocks: Blocks

    public init(path: String, threads: Int = 1) throws {
        let about = try About(
            file: Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
        guard about.isStreaming, let timing = about.timing else {
            throw KerasepError("received \(path), which cannot stream: export a causal model for it")
        }
        let model = try interpreter(path, threads)
        let reset = try model.signatureRunner(with: "reset")
        let large = try model.signatureRunner(with: "step")
        let small = try model.signatureRunner(with: "step1")
        try reset.invoke(with: [:])
        let start = floats(try reset.output(named: "state").data)
        self.about = about
        blocks = Blocks(
            timing: timing, channels: about.channels, sources: about.sources.count, start: start
        ) { block, state in
            let step = block.count == timing.step * about.channels ? large : small
            try step.invoke(with: ["mixture": bytes(block), "state": bytes(state)])
            return (
                try checked(
                    floats(try step.output(named: "sources").data),
                    count: block.count * about.sources.count),
                floats(try step.output(named: "state").data)
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
