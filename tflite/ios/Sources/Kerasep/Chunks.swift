/// How a recording is cut; lengths in samples, chunk and overlap whole multiples of hop.
struct Chunking {
    let chunk, overlap, hop, channels, sources: Int
    let reorder: Bool
}

/// Overlapping chunks of a recording, crossfaded as in kerasep/separation/chunks.py.
///
/// - Parameters:
///   - read: returns the next samples, interleaved, as many as requested; fewer only at the end.
///   - process: maps one whole chunk to (sample, channel, source).
///   - write: receives the next samples of all sources.
func crossfaded(
    _ plan: Chunking,
    read: (Int) throws -> [Float],
    process: ([Float]) throws -> [Float],
    write: ([Float]) throws -> Void
) throws {
    let step = plan.chunk - plan.overlap
    let first = plan.overlap / 4
    let last = plan.overlap - plan.overlap / 4
    let frame = plan.channels * plan.sources
    var waiting: [Float] = []
    var before: [Float] = []
    var shared: [Float] = []
    var tail: [Float]?
    while true {
        // A chunk is the last one unless there is a sample beyond it.
        waiting += try read(plan.chunk + 1 - waiting.count / plan.channels)
        let length = min(waiting.count / plan.channels, plan.chunk)
        let final = waiting.count <= plan.chunk * plan.channels
        if length == 0 { return }
        // The last chunk starts early enough to be whole, if the recording is that long.
        let early = tail == nil ? 0 : (plan.chunk - length) / plan.hop * plan.hop
        let piece = before.suffix(early * plan.channels) + waiting.prefix(length * plan.channels)
        let whole = try process(repeated(Array(piece), count: plan.chunk * plan.channels))
        var result = Array(whole[(early * frame)..<((early + length) * frame)])
        if let tail = tail {
            if plan.reorder {
                result = ordered(result, bestOrder(shared, result, sources: plan.sources))
            }
            fade(tail, into: &result, at: first * frame, span: last - first)
        }
        let begin = tail == nil ? 0 : first
        if final {
            try write(Array(result[(begin * frame)...]))
            return
        }
        try write(Array(result[(begin * frame)..<((step + first) * frame)]))
        tail = Array(result[((step + first) * frame)..<((step + last) * frame)])
        shared = Array(result[(step * frame)...])
        before = Array(waiting.prefix(step * plan.channels))
        waiting.removeFirst(step * plan.channels)
    }
}

/// Channels in groups of the size that a process takes; the last channel is repeated to fill up.
/// withMixture: whether to append the mixture to the sources.
func byChannelGroups(
    _ mixture: [Float], channels: Int, about: About, withMixture: Bool,
    process: ([Float]) throws -> [Float]
) throws -> [Float] {
    let samples = mixture.count / channels
    let taken = about.channels
    let sources = about.sources.count
    let lanes = withMixture ? sources + 1 : sources
    var results = [Float](repeating: 0, count: samples * channels * lanes)
    var reference: [Float]?
    for begin in stride(from: 0, to: channels, by: taken) {
        var group = try process((0..<samples * taken).map {
            mixture[$0 / taken * channels + min(begin + $0 % taken, channels - 1)]
        })
        if about.interchangeable == true {
            if let reference = reference {
                group = ordered(group, bestOrder(reference, group, sources: sources))
            } else {
                reference = group
            }
        }
        for sample in 0..<samples {
            for channel in 0..<min(taken, channels - begin) {
                for source in 0..<sources {
                    let from = (sample * taken + channel) * sources + source
                    results[(sample * channels + begin + channel) * lanes + source] = group[from]
                }
                if withMixture {
                    let of = sample * channels + begin + channel
                    results[of * lanes + sources] = mixture[of]
                }
            }
        }
    }
    return results
}

/// Fill up a piece that is too short by repeating it.
private func repeated(_ piece: [Float], count: Int) -> [Float] {
    (0..<count).map { piece[$0 % piece.count] }
}

private func fade(_ tail: [Float], into result: inout [Float], at place: Int, span: Int) {
    for i in tail.indices {
        let rise = (Float(i * span / tail.count) + 0.5) / Float(span)
        result[place + i] = tail[i] + (result[place + i] - tail[i]) * rise
    }
}
