/// The order of an estimate's sources that agrees best with a reference.
///
/// Both have groups of interleaved numbers, one per source: sources.
func bestOrder(_ reference: [Float], _ estimate: [Float], sources: Int) -> [Int] {
    var products = [[Double]](repeating: [Double](repeating: 0, count: sources), count: sources)
    for start in stride(from: 0, to: reference.count, by: sources) {
        for a in 0..<sources {
            for b in 0..<sources {
                products[a][b] += Double(reference[start + a]) * Double(estimate[start + b])
            }
        }
    }
    var best: [Int] = []
    var highest = -Double.infinity
    for order in orders(Array(0..<sources)) {
        let agreement = order.enumerated().reduce(0) { $0 + products[$1.offset][$1.element] }
        if agreement > highest {
            best = order
            highest = agreement
        }
    }
    return best
}

/// Rearrange the sources of every group.
func ordered(_ estimate: [Float], _ order: [Int]) -> [Float] {
    estimate.indices.map { estimate[$0 - $0 % order.count + order[$0 % order.count]] }
}

private func orders(_ left: [Int]) -> [[Int]] {
    if left.isEmpty { return [[]] }
    return left.flatMap { first in
        orders(left.filter { $0 != first }).map { [first] + $0 }
    }
}
