import Foundation

// The bounds of kerasep/tflite/format/bounds.py: all readers check the same.
private let mostSources = 64
private let mostName = 200  // bytes of UTF-8
private let mostOrdered = 8
private let mostSamples = 1 << 30
private let mostFrame = 1 << 20

extension About {
    /// Throw an error for values out of bounds.
    func checkBounds() throws {
        try expect(format >= 1, "format")
        guard format <= 2 else {
            throw KerasepError("received a file of a later format (\(format), expected 2)")
        }
        try checkSources()
        try expect((1000...768_000).contains(sampleRate), "sample_rate")
        try expect((1...64).contains(channels), "channels")
        try expect((1...mostSamples).contains(hop), "hop")
        try checkLength(chunk, least: 1, "chunk")
        try checkLength(overlap, least: 0, "overlap")
        try checkLength(latency, least: 0, "latency")
        try checkLength(frames, least: 1, "frames")
        try checkLength(state, least: 2, "state")
        for text in [model, kerasep, createdBy, weightsSha256, preset, licence, quantization] {
            try expect(text.map(isText) ?? true, "texts")
        }
        try expect(mode == nil || mode == "separate" || mode == "streaming", "mode")
        if let stft = stft {
            let lengths = [stft.nFft, stft.hop].allSatisfy((1...mostFrame).contains)
            try expect(lengths && isText(stft.window), "stft")
        }
        try checkTiming()
        if isStreaming {
            try expect(timing != nil && latency != nil, "timing")
        } else {
            try checkChunks()
        }
    }

    private func expect(_ holds: Bool, _ key: String) throws {
        guard holds else {
            throw KerasepError(
                "received a file whose metadata is damaged (its \(key) cannot be used): export again")
        }
    }

    private func checkLength(_ length: Int?, least: Int, _ key: String) throws {
        try expect(length.map((least...mostSamples).contains) ?? true, key)
    }

    private func checkSources() throws {
        let different = Set(sources).count == sources.count
        try expect((1...mostSources).contains(sources.count) && different, "sources")
        try expect(sources.allSatisfy(namesAFile), "sources")
        try expect(residual.map(sources.contains) ?? true, "residual")
        try expect(interchangeable != true || sources.count <= mostOrdered, "interchangeable")
    }

    private func checkChunks() throws {
        guard let chunk = chunk, let overlap = overlap else { return try expect(false, "chunk") }
        try expect(chunk % hop == 0 && rounded(overlap, to: hop) <= chunk / 2, "overlap")
    }

    private func checkTiming() throws {
        guard let timing = timing else { return }
        let lengths = [timing.hop, timing.frame, timing.grain, timing.step]
        try expect(lengths.allSatisfy((1...mostFrame).contains), "timing")
        try expect([timing.lag, timing.silence].allSatisfy((0...mostFrame).contains), "timing")
        try expect(["mirror", "fill", "drop"].contains(timing.ends), "timing")
        try expect(timing.grain % timing.hop == 0 && timing.step % timing.grain == 0, "timing")
        try expect(latency == nil || latency == timing.lag + timing.grain, "latency")
    }
}

/// Chunks start at multiples of the hop, so neighbours share a multiple too.
func rounded(_ overlap: Int, to hop: Int) -> Int {
    (overlap + hop - 1) / hop * hop
}

/// Throw if the number of samples contradicts the metadata, or samples are not finite.
func checked(_ samples: [Float], count: Int) throws -> [Float] {
    guard samples.count == count else {
        throw KerasepError("received a file whose tensors are not as its metadata says: export again")
    }
    guard samples.allSatisfy(\.isFinite) else {
        throw KerasepError(
            "received a file that computes NaN or infinite values: check the model's weights, "
                + "and export again")
    }
    return samples
}

private func isText(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { $0 >= " " && !("\u{7f}"..."\u{9f}").contains($0) }
}

private func namesAFile(_ name: String) -> Bool {
    let letters = name.unicodeScalars.filter { $0 != "_" }
    return name.utf8.count <= mostName && !letters.isEmpty && letters.allSatisfy { letter in
        switch letter.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .letterNumber, .otherNumber:
            return true
        default:
            return false
        }
    }
}
