import Foundation

/// Find the JSON that kerasep wrote into a `.tflite` file; TensorFlowLite's Swift API has no access.
func metadata(of file: Data) throws -> Data {
    let bytes = [UInt8](file)
    guard bytes.count > 8, Array(bytes[4..<8]) == Array("TFL3".utf8) else {
        throw KerasepError("received a file that is not a TFLite file: export a model to get one")
    }
    let model = Table(bytes: bytes, at: try unsigned(bytes, at: 0, size: 4))
    for entry in try model.tables(Field.modelMetadata) {
        guard try entry.data(Field.metadataName) == Array("kerasep".utf8) else { continue }
        let buffers = try model.tables(Field.modelBuffers)
        let index = try entry.integer(Field.metadataBuffer)
        guard index < buffers.count else { throw damaged }
        return Data(try buffers[index].data(Field.bufferData))
    }
    throw KerasepError("received a TFLite file without kerasep's metadata: export a model to get one")
}

private let damaged = KerasepError("received a file that is damaged: export again")

/// Positions of fields in the tables of TFLite's schema.
private enum Field {
    static let modelBuffers = 4
    static let modelMetadata = 6
    static let metadataName = 0
    static let metadataBuffer = 1
    static let bufferData = 0
}

private func unsigned(_ bytes: [UInt8], at place: Int, size: Int) throws -> Int {
    guard place >= 0, place <= bytes.count - size else { throw damaged }
    return (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
}

/// One table of a FlatBuffer.
private struct Table {
    let bytes: [UInt8]
    let at: Int

    /// Position of a field; nil if it is absent.
    private func field(_ place: Int) throws -> Int? {
        let distance = Int32(truncatingIfNeeded: try unsigned(bytes, at: at, size: 4))
        let index = at - Int(distance)
        let entry = 4 + 2 * place
        guard entry < (try unsigned(bytes, at: index, size: 2)) else { return nil }
        let offset = try unsigned(bytes, at: index + entry, size: 2)
        return offset == 0 ? nil : at + offset
    }

    private func vector(_ place: Int) throws -> (start: Int, count: Int)? {
        guard let field = try field(place) else { return nil }
        let vector = field + (try unsigned(bytes, at: field, size: 4))
        return (vector + 4, try unsigned(bytes, at: vector, size: 4))
    }

    func integer(_ place: Int) throws -> Int {
        guard let field = try field(place) else { return 0 }
        return try unsigned(bytes, at: field, size: 4)
    }

    func data(_ place: Int) throws -> [UInt8] {
        guard let (start, count) = try vector(place) else { return [] }
        guard start <= bytes.count - count else { throw damaged }
        return Array(bytes[start..<start + count])
    }

    func tables(_ place: Int) throws -> [Table] {
        guard let (start, count) = try vector(place) else { return [] }
        guard start <= bytes.count - 4 * count else { throw damaged }
        return try (0..<count).map {
            let entry = start + 4 * $0
            return Table(bytes: bytes, at: entry + (try unsigned(bytes, at: entry, size: 4)))
        }
    }
}
