typealias Read = (Int) throws -> [Float]
typealias Write = ([Float]) throws -> Void

private let blockSamples = 4096

/// Separate a recording at its own rate, as in kerasep/separation/bands.py.
///
/// - Parameters:
///   - residual: index of the source that gets what the mixture loses on the way to the model's rate
///     and back; nil to leave that out.
///   - separate: separates at the model's rate; its samples have the mixture behind the sources if
///     there is a residual.
func separateResampled(
    rate: Int, modelRate: Int, channels: Int, sources: Int, residual: Int?,
    separate: (@escaping Read, @escaping Write) throws -> Void, read: @escaping Read,
    write: @escaping Write
) throws {
    let lanes = residual == nil ? sources : sources + 1
    let down = Resampler(from: rate, to: modelRate, channels: channels)
    let up = Resampler(from: modelRate, to: rate, channels: channels * lanes)
    var low: [Float] = []
    var mixture: [Float] = []  // read, and not yet written
    var waiting = 0  // samples of it
    var begun = false
    var ended = false

    func readLow(_ samples: Int) throws -> [Float] {
        while !ended && low.count < samples * channels {
            let block = try read(blockSamples)
            waiting += block.count / channels
            if residual != nil { mixture += block }
            low += down.process(block)
            ended = block.count < blockSamples * channels
            if ended { low += down.flush() }
        }
        // A recording of less than one sample at the model's rate does not disappear.
        if !begun && low.isEmpty && waiting > 0 { low = [Float](repeating: 0, count: channels) }
        begun = true
        let size = min(low.count, samples * channels)
        defer { low.removeFirst(size) }
        return Array(low.prefix(size))
    }

    func writeUp(_ block: [Float]) throws {
        let samples = min(waiting, block.count / channels / lanes)
        if samples == 0 { return }
        var result = [Float](repeating: 0, count: samples * channels * sources)
        for i in 0..<samples * channels {
            for source in 0..<sources { result[i * sources + source] = block[i * lanes + source] }
            if let residual = residual {
                result[i * sources + residual] += mixture[i] - block[i * lanes + sources]
            }
        }
        if residual != nil { mixture.removeFirst(samples * channels) }
        waiting -= samples
        try write(result)
    }

    try separate(readLow, { try writeUp(up.process($0)) })
    try writeUp(up.flush())
    while waiting > 0 {  // lengths are rounded twice
        try writeUp([Float](repeating: 0, count: blockSamples * channels * lanes))
    }
}
