package kerasep

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.log10
import kotlin.math.sin
import kotlin.math.sqrt

// Frequencies are shares of the lower rate's band, and widths samples at the lower rate.
private const val PASS = 0.91374364
private const val CUTOFF = (1 + PASS) / 2
private const val SPREAD = 0.318336 // width of Kaiser's window, times that of the transition, per beta
private const val SHORT_BETA = 14.058639

/** A sinc in Kaiser's window, of [half] samples to each side. */
private class Sinc(val cutoff: Double, val half: Double, val beta: Double) {
    private val highest = bessel(beta)

    fun at(place: Double): Double {
        val within = 1 - (place / half) * (place / half)
        if (within <= 0) return 0.0
        val angle = PI * cutoff * place
        val sinc = if (angle == 0.0) 1.0 else sin(angle) / angle
        return cutoff * sinc * bessel(beta * sqrt(within)) / highest
    }
}

/**
 * The filter of soxr's high quality, with which Python and C resample.
 *
 * It is steep, and for ratios such as 44100 to 16000 a short one follows, which interpolates. The
 * weights are those of both together.
 */
internal class ResamplingFilter(rate: Int, newRate: Int) {
    val up = newRate / greatestCommon(rate, newRate)
    val down = rate / greatestCommon(rate, newRate)

    /** Input samples to each side of a place. */
    val half: Int

    /** How many output samples have weights of their own, because the short filter reaches beyond the beginning. */
    val early: Int

    private val scale = minOf(1.0, newRate.toDouble() / rate)
    private val points: Int // of the steep filter, per input sample
    private val steep: DoubleArray
    private val short: Sinc?

    init {
        // soxr takes large factors in steps, and chooses the other filters for what is left.
        var (outer, inner) = up to down
        var steps = 1
        while (inner >= 4 * outer) {
            outer *= 2
            steps++
        }
        if (outer > 4 * inner && outer != 5 * inner) {
            inner *= 4
            steps++
        }
        val common = greatestCommon(outer, inner)
        val (least, most) = listOf(outer / common, inner / common).sorted()
        val simple = most < 5 || least == 1 && most == 5
        val ratio = inner.toDouble() / outer
        val between = ratio > 1.5 && ratio < 2
        val fineness = when {
            simple -> most.toDouble()
            ratio < 1 || between -> 2.0
            ratio < 2 -> 2 * ratio
            else -> ratio
        }
        val decibels = (if (simple) 126.4326 else 132.4532) + 20 * log10(steps.toDouble())
        val beta = 0.111523 * decibels - 1.060107
        val multiple = if (simple && outer / common == 4) 8 else 4
        val taps = multiple * ceil(2 * SPREAD * beta / (1 - CUTOFF) * fineness / multiple) + 1
        val filter = Sinc(CUTOFF, taps / 2 / fineness, beta)
        short = if (simple) null else shortFilter(if (between) ratio else fineness, ratio, between)
        points = if (simple) up else if (ratio < 2) 2 else 1
        val step = scale / points
        steep = DoubleArray(ceil(filter.half / step).toInt() + 1) { filter.at(it * step) * step }
        half = ceil((filter.half + (short?.half ?: 0.0)) / scale).toInt()
        early = ceil((short?.half ?: 0.0) / scale * up / down).toInt()
    }

    /** Weights of 2 * half input samples for an output sample. */
    fun weights(index: Long): DoubleArray {
        val whole = index * down / up * points
        val place = (index * down % up).toDouble() * points / up
        val middle = place.toInt()
        if (short == null) return steepAround(middle).also { for (i in it.indices) it[i] *= points.toDouble() }
        val result = DoubleArray(2 * half)
        val reach = (short.half * points / scale).toInt() + 1
        // The short filter begins with silence: it does not have what the steep one gives before that.
        for (point in maxOf((middle - reach).toLong(), -whole).toInt()..middle + reach) {
            val weight = scale * short.at((point - place) * scale / points)
            steepAround(point).forEachIndexed { tap, value -> result[tap] += weight * value }
        }
        return result
    }

    /** The steep filter around one of its points, at the input samples. */
    private fun steepAround(point: Int) = DoubleArray(2 * half) {
        steep.getOrElse(abs(point - points * (it - half + 1))) { 0.0 }
    }
}

/** The filter that finds samples between those of the steep one, of which [fineness] are a sample. */
private fun shortFilter(fineness: Double, ratio: Double, between: Boolean): Sinc {
    val stop = if (between) 3.0 else 2 * fineness - (PASS + 0.7 * (1 - PASS))
    val cutoff = stop - 0.57219 * (stop - PASS)
    var taps = (2 * SPREAD * SHORT_BETA * fineness / (stop - cutoff)).toInt() + 1
    if (ratio > 1 && !between) taps += taps % 2
    return Sinc(cutoff, taps / 2.0 / fineness, SHORT_BETA)
}

/** The modified Bessel function of the first kind, of order 0. */
private fun bessel(x: Double): Double {
    var sum = 1.0
    var term = 1.0
    var k = 1
    while (term > 1e-12 * sum) {
        term *= (x / (2 * k)) * (x / (2 * k))
        sum += term
        k++
    }
    return sum
}

internal fun greatestCommon(a: Int, b: Int): Int = if (b == 0) a else greatestCommon(b, a % b)
