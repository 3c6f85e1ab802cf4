/// Resamples a stream of interleaved samples, without delay, as `ResamplingFilter` says.
final class Resampler {
    private let up, down, half, channels: Int
    private let first: [[Double]]
    private let kernels: [[Double]]
    private var held: [Float]  // from input sample heldFrom on
    private var heldFrom: Int
    private var taken = 0
    private var made = 0

    init(from rate: Int, to newRate: Int, channels: Int) {
        let filter = ResamplingFilter(from: rate, to: newRate)
        up = filter.up
        down = filter.down
        half = filter.half
        self.channels = channels
        first = (0..<filter.early).map { filter.weights($0) }
        kernels = (filter.early..<filter.early + filter.up).map { filter.weights($0) }
        held = [Float](repeating: 0, count: (filter.half - 1) * channels)
        heldFrom = 1 - filter.half
    }

    /// Add samples, and return those that are ready.
    func process(_ block: [Float]) -> [Float] {
        taken += block.count / channels
        held += block
        let ready = taken > half ? ((taken - half) * up + down - 1) / down : 0
        return resampled(to: max(made, ready))
    }

    /// Return the rest, rounded to the nearest length.
    func flush() -> [Float] {
        held += [Float](repeating: 0, count: (half + 1) * channels)
        return resampled(to: max(made, (2 * taken * up + down) / (2 * down)))
    }

    private func resampled(to end: Int) -> [Float] {
        var result = [Float](repeating: 0, count: (end - made) * channels)
        var sums = [Double](repeating: 0, count: channels)
        for index in made..<end {
            let weights = index < first.count ? first[index] : kernels[(index - first.count) % up]
            var from = (index * down / up - half + 1 - heldFrom) * channels
            for channel in 0..<channels { sums[channel] = 0 }
            for weight in weights {
                for channel in 0..<channels { sums[channel] += weight * Double(held[from + channel]) }
                from += channels
            }
            for channel in 0..<channels { result[(index - made) * channels + channel] = Float(sums[channel]) }
        }
        made = end
        let needed = min(max(end * down / up - half + 1 - heldFrom, 0), held.count / channels)
        held.removeFirst(needed * channels)
        heldFrom += needed
        return result
    }
}
