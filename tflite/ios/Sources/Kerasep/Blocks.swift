/// How a streamed model takes its samples, as in kerasep/streaming/buffering.py.
struct Timing: Decodable {
    let hop, frame, grain, step, lag, silence: Int
    let ends: String

    var margin: Int { ends == "mirror" ? frame / 2 : 0 }
    var skip: Int { lag + silence + margin }

    func filled(_ samples: Int) -> Int {
        ends == "mirror" && 2 * hop > frame ? (samples + hop - 1) / hop * hop : samples
    }

    func frames(_ samples: Int) -> Int {
        if ends == "mirror" { return 1 + filled(samples) / hop }
        let beyond = max(0, samples - frame)
        return 1 + (ends == "fill" ? beyond + hop - 1 : beyond) / hop
    }
}

/// Index in the state of the number of frames still to come.
private let left = 1

/// Blocks of any size, cut into the steps of a streamed model.
struct Blocks {
    /// Maps a block of the length of one of the two steps, and a state, to sources and state.
    typealias Run = ([Float], [Float]) throws -> (sources: [Float], state: [Float])

    private let timing: Timing
    private let channels: Int
    private let sources: Int
    private let start: [Float]
    private let run: Run
    private var state: [Float] = []
    private var taken = 0
    private var stepped = 0
    private var pending: [Float] = []
    private var recent: [Float] = []
    private var begun = false

    init(timing: Timing, channels: Int, sources: Int, start: [Float], run: @escaping Run) {
        self.timing = timing
        self.channels = channels
        self.sources = sources
        self.start = start
        self.run = run
        reset()
    }

    private mutating func reset() {
        state = start
        taken = 0
        stepped = 0
        pending = [Float](repeating: 0, count: timing.silence * channels)
        recent = []
        begun = timing.margin == 0
    }

    mutating func process(_ block: [Float]) throws -> [Float] {
        guard block.count % channels == 0, block.allSatisfy({ $0.isFinite }) else {
            throw KerasepError("received a block that is no audio of \(channels) channels")
        }
        taken += block.count / channels
        push(block)
        return try steps()
    }

    mutating func flush() throws -> [Float] {
        defer { reset() }
        if taken == 0 { return [] }
        guard timing.filled(taken) > timing.margin else {
            throw KerasepError(
                "received a stream of \(taken) samples, expected at least \(timing.margin + 1)")
        }
        push([Float](repeating: 0, count: (timing.filled(taken) - taken) * channels))
        pending += mirrored(from: timing.margin - 1)
        let ahead = stepped - timing.silence
        let done = ahead >= 0 ? ahead / timing.hop : -((timing.hop - 1 - ahead) / timing.hop)
        state[left] = Float(timing.frames(taken) - done)
        let needed = (timing.skip + taken + timing.grain - 1) / timing.grain * timing.grain
        let missing = max(0, needed - stepped - pending.count / channels)
        pending += [Float](repeating: 0, count: missing * channels)
        return try steps()
    }

    /// Recent samples from the one at `place` backwards, as many as are mirrored.
    private func mirrored(from place: Int) -> [Float] {
        (0..<timing.margin * channels).map {
            recent[(place - $0 / channels) * channels + $0 % channels]
        }
    }

    /// Add samples of the stream, and mirror its start as soon as there are enough.
    private mutating func push(_ block: [Float]) {
        if timing.margin > 0 { recent += block }
        if begun {
            pending += block
        } else if recent.count > timing.margin * channels {
            pending += mirrored(from: timing.margin)
            pending += recent
            begun = true
        }
        if begun { recent = Array(recent.suffix((timing.margin + 1) * channels)) }
    }

    private mutating func steps() throws -> [Float] {
        var results: [Float] = []
        while pending.count >= timing.grain * channels {
            let large = pending.count >= timing.step * channels
            let size = (large ? timing.step : timing.grain) * channels
            let given = try run(Array(pending.prefix(size)), state)
            state = given.state
            pending.removeFirst(size)
            results += ofTheStream(given.sources)
        }
        return results
    }

    /// Drop output before the stream's first sample or after its last.
    private mutating func ofTheStream(_ given: [Float]) -> [Float] {
        let frame = channels * sources
        let count = given.count / frame
        let first = stepped - timing.skip
        stepped += count
        let from = min(count, max(0, -first))
        let to = min(count, max(from, taken - first))
        return Array(given[(from * frame)..<(to * frame)])
    }
}
