package kerasep

import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

private const val MOST_BYTES = 1 shl 20
private const val MOST_DEPTH = 16
private const val MOST_NUMBER = 63 // letters
private val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")
private val ESCAPES = mapOf(
    '"' to '"', '\\' to '\\', '/' to '/', 'b' to '\b', 'f' to '\u000C', 'n' to '\n', 'r' to '\r',
    't' to '\t'
)

/** JSON that parsers of every language read the same way; org.json accepts more. */
internal fun parseJson(bytes: ByteArray): Any? {
    require(bytes.size <= MOST_BYTES) { "more than $MOST_BYTES bytes" }
    val text = try {
        Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString()
    } catch (error: CharacterCodingException) {
        throw IllegalArgumentException("not UTF-8", error)
    }
    return StrictJson(text).whole()
}

/** Objects become maps, and all numbers Double. */
private class StrictJson(private val text: String) {
    private var at = 0
    private var depth = 0

    fun whole(): Any? = value().also { require(at == text.length) { "more behind" } }

    private fun next(): Char {
        require(at < text.length) { "no end" }
        return text[at]
    }

    private fun taken(letter: Char) = (next() == letter).also { if (it) at++ }

    private fun skipSpaces() {
        while (at < text.length && text[at] in " \t\n\r") at++
    }

    private fun value(): Any? {
        skipSpaces()
        val value: Any? = when (next()) {
            '{' -> members()
            '[' -> elements()
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
        skipSpaces()
        return value
    }

    private fun word(letters: String, value: Boolean?): Boolean? {
        require(text.startsWith(letters, at)) { "no value" }
        at += letters.length
        return value
    }

    private fun number(): Double {
        val found = requireNotNull(NUMBER.find(text, at)) { "no value" }
        require(found.range.first == at && found.value.length <= MOST_NUMBER) { "no number" }
        at += found.value.length
        return found.value.toDouble()
    }

    private fun members(): Map<String, Any?> {
        val found = mutableMapOf<String, Any?>()
        list('}') {
            val key = string()
            skipSpaces()
            require(taken(':') && key !in found) { "a key twice" }
            found[key] = value()
        }
        return found
    }

    private fun elements(): List<Any?> = mutableListOf<Any?>().also { list(']') { it += value() } }

    private fun list(close: Char, read: () -> Unit) {
        require(++depth <= MOST_DEPTH) { "too many levels" }
        at++
        skipSpaces()
        if (!taken(close)) {
            do {
                skipSpaces()
                read()
                skipSpaces()
            } while (taken(','))
            require(taken(close)) { "no end" }
        }
        depth--
    }

    private fun string(): String {
        require(taken('"')) { "no text" }
        val found = StringBuilder()
        while (!taken('"')) {
            require(next() >= ' ') { "a control character" }
            found.append(if (taken('\\')) escape() else text[at++])
        }
        // A surrogate pair is one code point of two letters.
        val pairs = found.length - found.codePointCount(0, found.length)
        require(found.count { it.isSurrogate() } == 2 * pairs) { "half a pair" }
        return found.toString()
    }

    private fun escape(): Char {
        if (!taken('u')) return requireNotNull(ESCAPES[next()]) { "no escape" }.also { at++ }
        val digits = text.substring(at, minOf(text.length, at + 4))
        require(digits.length == 4 && digits.all { it in "0123456789abcdefABCDEF" }) { "no escape" }
        at += 4
        return digits.toInt(16).toChar().also { require(it != '\u0000') { "NUL" } }
    }
}
