import Foundation

// Frequencies are shares of the lower rate's band, and widths samples at the lower rate.
private let pass = 0.91374364
private let cutoff = (1 + pass) / 2
private let spread = 0.318336  // width of Kaiser's window, times that of the transition, per beta
private let shortBeta = 14.058639

/// A sinc in Kaiser's window, of `half` samples to each side.
private struct Sinc {
    let cutoff, half, beta, highest: Double

    init(_ cutoff: Double, half: Double, beta: Double) {
        self.cutoff = cutoff
        self.half = half
        self.beta = beta
        highest = bessel(beta)
    }

    func at(_ place: Double) -> Double {
        let within = 1 - (place / half) * (place / half)
        if within <= 0 { return 0 }
        let angle = Double.pi * cutoff * place
        let sinc = angle == 0 ? 1 : sin(angle) / angle
        return cutoff * sinc * bessel(beta * within.squareRoot()) / highest
    }
}

/// The filter of soxr's high quality, with which Python and C resample.
///
/// It is steep, and for ratios such as 44100 to 16000 a short one follows, which interpolates. The
/// weights are those of both together.
struct ResamplingFilter {
    let up, down: Int
    /// Input samples to each side of a place.
    let half: Int
    /// How many output samples have weights of their own, because the short filter reaches beyond the beginning.
    let early: Int

    private let scale: Double
    private let points: Int  // of the steep filter, per input sample
    private let steep: [Double]
    private let short: Sinc?

    init(from rate: Int, to newRate: Int) {
        let divisor = greatestCommon(rate, newRate)
        (up, down) = (newRate / divisor, rate / divisor)
        scale = min(1, Double(newRate) / Double(rate))
        // soxr takes large factors in steps, and chooses the other filters for what is left.
        var (outer, inner, steps) = (up, down, 1)
        while inner >= 4 * outer {
            outer *= 2
            steps += 1
        }
        if outer > 4 * inner && outer != 5 * inner {
            inner *= 4
            steps += 1
        }
        let common = greatestCommon(outer, inner)
        let (least, most) = (min(outer, inner) / common, max(outer, inner) / common)
        let simple = most < 5 || least == 1 && most == 5
        let ratio = Double(inner) / Double(outer)
        let between = ratio > 1.5 && ratio < 2
        let fineness: Double
        if simple {
            fineness = Double(most)
        } else if ratio < 1 || between {
            fineness = 2
        } else {
            fineness = ratio < 2 ? 2 * ratio : ratio
        }
        let decibels = (simple ? 126.4326 : 132.4532) + 20 * log10(Double(steps))
        let beta = 0.111523 * decibels - 1.060107
        let multiple: Double = simple && outer / common == 4 ? 8 : 4
        let taps = multiple * (2 * spread * beta / (1 - cutoff) * fineness / multiple).rounded(.up) + 1
        let filter = Sinc(cutoff, half: taps / 2 / fineness, beta: beta)
        short = simple ? nil : shortFilter(between ? ratio : fineness, ratio, between)
        points = simple ? up : ratio < 2 ? 2 : 1
        let step = scale / Double(points)
        steep = (0...Int((filter.half / step).rounded(.up))).map { filter.at(Double($0) * step) * step }
        half = Int(((filter.half + (short?.half ?? 0)) / scale).rounded(.up))
        early = Int(((short?.half ?? 0) / scale * Double(up) / Double(down)).rounded(.up))
    }

    /// Weights of 2 * half input samples for an output sample.
    func weights(_ index: Int) -> [Double] {
        let whole = index * down / up * points
        let place = Double(index * down % up) * Double(points) / Double(up)
        let middle = Int(place)
        guard let short = short else { return steepAround(middle).map { $0 * Double(points) } }
        var result = [Double](repeating: 0, count: 2 * half)
        let reach = Int(short.half * Double(points) / scale) + 1
        // The short filter begins with silence: it does not have what the steep one gives before that.
        for point in max(middle - reach, -whole)...middle + reach {
            let weight = scale * short.at((Double(point) - place) * scale / Double(points))
            for (tap, value) in steepAround(point).enumerated() { result[tap] += weight * value }
        }
        return result
    }

    /// The steep filter around one of its points, at the input samples.
    private func steepAround(_ point: Int) -> [Double] {
        (0..<2 * half).map { tap in
            let distance = abs(point - points * (tap - half + 1))
            return distance < steep.count ? steep[distance] : 0
        }
    }
}

/// The filter that finds samples between those of the steep one, of which `fineness` are a sample.
private func shortFilter(_ fineness: Double, _ ratio: Double, _ between: Bool) -> Sinc {
    let stop = between ? 3 : 2 * fineness - (pass + 0.7 * (1 - pass))
    let cutoff = stop - 0.57219 * (stop - pass)
    var taps = Int(2 * spread * shortBeta * fineness / (stop - cutoff)) + 1
    if ratio > 1 && !between { taps += taps % 2 }
    return Sinc(cutoff, half: Double(taps) / 2 / fineness, beta: shortBeta)
}

/// The modified Bessel function of the first kind, of order 0.
private func bessel(_ x: Double) -> Double {
    var (sum, term, k) = (1.0, 1.0, 1.0)
    while term > 1e-12 * sum {
        term *= (x / (2 * k)) * (x / (2 * k))
        sum += term
        k += 1
    }
    return sum
}

private func greatestCommon(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommon(b, a % b) }
