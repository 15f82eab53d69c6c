internal import CToml

/// A TOML document as a flat list of values, each with its line.
struct TomlDocument {
    enum Value: Equatable {
        case table
        case array(Int)
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        case other
    }

    struct Entry {
        /// Dotted key; array elements as `key[0]`.
        var path: String
        var value: Value
        var line: Int
    }

    struct SyntaxError: Error {
        var line: Int
        var reason: String
    }

    let entries: [Entry]
    private let places: [String: Int]

    /// Parses; a document has at most one syntax error, the first.
    init(_ text: [UInt8]) throws(SyntaxError) {
        let collector = Collector()
        // The parser calls back while it runs and keeps neither the text nor the collector.
        unsafe text.withUnsafeBufferPointer { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { characters in
                let context = unsafe Unmanaged.passUnretained(collector).toOpaque()
                if let base = characters.baseAddress {
                    unsafe toml_flatten(base, characters.count, collect, context)
                }
            }
        }
        if let error = collector.error { throw error }
        entries = collector.entries
        var places: [String: Int] = [:]
        for (index, entry) in entries.enumerated() { places[entry.path] = index }
        self.places = places
    }

    subscript(path: String) -> Entry? { places[path].map { entries[$0] } }
}

private final class Collector {
    var entries: [TomlDocument.Entry] = []
    var error: TomlDocument.SyntaxError?

    func visit(_ path: String, _ type: Int32, _ text: String, _ line: Int) {
        let value: TomlDocument.Value
        switch type {
        case Int32(TOML_TYPE_TABLE.rawValue): value = .table
        case Int32(TOML_TYPE_ARRAY.rawValue): value = .array(Int(text) ?? 0)
        case Int32(TOML_TYPE_STRING.rawValue): value = .string(text)
        case Int32(TOML_TYPE_INTEGER.rawValue): value = .integer(Int64(text) ?? 0)
        case Int32(TOML_TYPE_FLOAT.rawValue): value = .float(Double(text) ?? .nan)
        case Int32(TOML_TYPE_BOOLEAN.rawValue): value = .boolean(text == "true")
        case Int32(TOML_TYPE_ERROR.rawValue):
            error = TomlDocument.SyntaxError(line: line, reason: text)
            return
        default: value = .other
        }
        entries.append(TomlDocument.Entry(path: path, value: value, line: line))
    }
}

// C's callback: strings are copied before it returns.
private func collect(
    context: UnsafeMutableRawPointer?,
    path: UnsafePointer<CChar>,
    pathLength: Int,
    type: Int32,
    text: UnsafePointer<CChar>,
    textLength: Int,
    line: Int32
) {
    guard let context = unsafe context else { return }
    let collector = unsafe Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
    unsafe collector.visit(
        String(decoding: UnsafeRawBufferPointer(start: path, count: pathLength), as: UTF8.self),
        type,
        String(decoding: UnsafeRawBufferPointer(start: text, count: textLength), as: UTF8.self),
        Int(line)
    )
}
