import Foundation

/// Validate JSON that parsers of every language read the same way; JSONDecoder accepts more.
///
/// UTF-8 of at most 1 MiB, 16 levels and 63 letters in a number; no key twice in one object.
func checkStrict(_ json: Data) throws {
    guard json.count <= 1 << 20, let text = String(data: json, encoding: .utf8) else { throw damagedJSON }
    var scanner = StrictJSON(letters: Array(text.unicodeScalars))
    try scanner.value()
    guard scanner.at == scanner.letters.count else { throw damagedJSON }
}

let damagedJSON = KerasepError("received a file whose metadata is damaged: export again")

private struct StrictJSON {
    let letters: [Unicode.Scalar]
    var at = 0
    private var depth = 0

    init(letters: [Unicode.Scalar]) {
        self.letters = letters
    }

    private func next() throws -> Unicode.Scalar {
        guard at < letters.count else { throw damagedJSON }
        return letters[at]
    }

    private mutating func taken(_ letter: Unicode.Scalar) -> Bool {
        guard at < letters.count, letters[at] == letter else { return false }
        at += 1
        return true
    }

    private mutating func skipSpaces() {
        while taken(" ") || taken("\t") || taken("\n") || taken("\r") {}
    }

    mutating func value() throws {
        skipSpaces()
        switch try next() {
        case "{": try list("}", pairs: true)
        case "[": try list("]", pairs: false)
        case "\"": _ = try string()
        case "t": try word("true")
        case "f": try word("false")
        case "n": try word("null")
        default: try number()
        }
        skipSpaces()
    }

    private mutating func word(_ word: String) throws {
        for letter in word.unicodeScalars {
            guard taken(letter) else { throw damagedJSON }
        }
    }

    private mutating func digits() -> Bool {
        let start = at
        while at < letters.count, ("0"..."9").contains(letters[at]) { at += 1 }
        return at > start
    }

    private mutating func number() throws {
        let start = at
        _ = taken("-")
        guard taken("0") || digits() else { throw damagedJSON }
        if taken(".") {
            guard digits() else { throw damagedJSON }
        }
        if taken("e") || taken("E") {
            if !taken("+") { _ = taken("-") }
            guard digits() else { throw damagedJSON }
        }
        guard at - start <= 63 else { throw damagedJSON }
    }

    private mutating func list(_ close: Unicode.Scalar, pairs: Bool) throws {
        depth += 1
        guard depth <= 16 else { throw damagedJSON }
        at += 1
        skipSpaces()
        var keys = Set<[UInt16]>()
        if !taken(close) {
            repeat {
                skipSpaces()
                if pairs {
                    guard keys.insert(try string()).inserted else { throw damagedJSON }
                    skipSpaces()
                    guard taken(":") else { throw damagedJSON }
                }
                try value()
            } while taken(",")
            guard taken(close) else { throw damagedJSON }
        }
        depth -= 1
    }

    /// UTF-16, as escapes have it.
    private mutating func string() throws -> [UInt16] {
        guard taken("\"") else { throw damagedJSON }
        var units = [UInt16]()
        while !taken("\"") {
            guard try next() >= " " else { throw damagedJSON }
            if taken("\\") {
                units.append(try escape())
            } else {
                units += Array(String(Character(try next())).utf16)
                at += 1
            }
        }
        // Half a pair is replaced, so the text changes.
        guard Array(String(decoding: units, as: UTF16.self).utf16) == units else { throw damagedJSON }
        return units
    }

    private mutating func escape() throws -> UInt16 {
        let plain: [Unicode.Scalar: UInt16] = [
            "\"": 34, "\\": 92, "/": 47, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
        ]
        let letter = try next()
        at += 1
        if let unit = plain[letter] { return unit }
        guard letter == "u", at + 4 <= letters.count else { throw damagedJSON }
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let digit = Character(letters[at])
            guard digit.isASCII, let value = digit.hexDigitValue else { throw damagedJSON }
            unit = unit << 4 | UInt16(value)
            at += 1
        }
        guard unit != 0 else { throw damagedJSON }
        return unit
    }
}
