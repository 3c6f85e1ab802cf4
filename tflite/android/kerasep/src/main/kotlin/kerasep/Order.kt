package kerasep

/**
 * The order of the sources of [estimate] that agrees best with [reference].
 *
 * Both have groups of interleaved numbers, one per source: [sources].
 */
internal fun bestOrder(reference: FloatArray, estimate: FloatArray, sources: Int): List<Int> {
    val products = Array(sources) { DoubleArray(sources) }
    for (start in 0 until reference.size step sources) {
        for (a in 0 until sources) {
            for (b in 0 until sources) {
                products[a][b] += reference[start + a].toDouble() * estimate[start + b]
            }
        }
    }
    var best = emptyList<Int>()
    var highest = Double.NEGATIVE_INFINITY
    for (order in orders((0 until sources).toList())) {
        val agreement = order.indices.fold(0.0) { sum, a -> sum + products[a][order[a]] }
        if (agreement > highest) {
            best = order
            highest = agreement
        }
    }
    return best
}

/** Rearrange the sources of every group. */
internal fun ordered(estimate: FloatArray, order: List<Int>) = FloatArray(estimate.size) {
    estimate[it - it % order.size + order[it % order.size]]
}

private fun orders(left: List<Int>): List<List<Int>> =
    if (left.isEmpty()) listOf(left) else left.flatMap { first ->
        orders(left - first).map { listOf(first) + it }
    }
