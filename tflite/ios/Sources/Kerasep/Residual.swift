/// The source that stands for the rest of the mixture, as in kerasep/separation/residual.py; nil if
/// the sources are not known to make up the whole mixture.
func residualSource(_ sources: [String]) -> String? {
    let voices = ["vocals", "voice", "singing"]
    for name in ["accompaniment", "instrumental"] where sources.contains(name) {
        return sources.count == 2 && sources.contains(where: voices.contains) ? name : nil
    }
    if sources.contains("other") {
        return ["vocals", "drums", "bass"].allSatisfy(sources.contains) ? "other" : nil
    }
    return ["noise", "background", "rest", "residual"].first { sources.contains($0) && sources.count > 1 }
}
