/// What is wrong with a text, and where.
public struct JSONError: Error, Equatable, Sendable {
    /// The fault, in words.
    public let reason: String
    /// Byte offset in the text.
    public let offset: Int
}

extension JSON {
    /// Deepest nesting that is read.
    public static let depthMax = 32

    /// Reads one value that takes up all of `bytes`, UTF-8.
    public static func parse(_ bytes: some Collection<UInt8>) throws(JSONError) -> JSON {
        var parser = Parser(bytes: Array(bytes))
        let value = try parser.value(depth: 0)
        parser.space()
        guard parser.position == parser.bytes.count else {
            throw parser.error("text after the value")
        }
        return value
    }

    /// Reads one value that takes up all of `text`.
    public static func parse(_ text: String) throws(JSONError) -> JSON {
        try parse(Array(text.utf8))
    }
}

private struct Parser {
    let bytes: [UInt8]
    var position = 0

    func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: position) }

    func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    mutating func space() {
        while let byte = peek(), byte == 32 || byte == 9 || byte == 10 || byte == 13 {
            position += 1
        }
    }

    mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth < JSON.depthMax else { throw error("nested too deep") }
        space()
        guard let first = peek() else { throw error("a value is missing") }
        switch first {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    mutating func word(_ text: String, _ value: JSON) throws(JSONError) -> JSON {
        for byte in text.utf8 where !take(byte) { throw error("expected \(text)") }
        return value
    }

    mutating func object(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        space()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            space()
            guard peek() == UInt8(ascii: "\"") else { throw error("expected a name") }
            let name = try string()
            space()
            guard take(UInt8(ascii: ":")) else { throw error("expected ':'") }
            members.append(JSON.Member(name, try value(depth: depth + 1)))
            space()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "}")) { return .object(members) }
            throw error("expected ',' or '}'")
        }
    }

    mutating func array(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var elements: [JSON] = []
        space()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            space()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "]")) { return .array(elements) }
            throw error("expected ',' or ']'")
        }
    }

    mutating func number() throws(JSONError) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func digits() throws(JSONError) {
        let start = position
        while let byte = peek(), byte >= 48, byte <= 57 { position += 1 }
        guard position > start else { throw error("expected a value") }
    }

    mutating func string() throws(JSONError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = peek() {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw error("not UTF-8")
                }
                return valid
            case UInt8(ascii: "\\"): try escape(&text)
            case 0..<32: throw error("control character in a string")
            default: text.append(byte)
            }
        }
        throw error("string without end")
    }

    mutating func escape(_ text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek() else { throw error("string without end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            let scalar = try unicode()
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw error("unknown escape")
        }
    }

    mutating func unicode() throws(JSONError) -> Unicode.Scalar {
        let high = try hex4()
        var code = high
        if high >= 0xd800, high < 0xdc00 {
            guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                throw error("half a surrogate pair")
            }
            let low = try hex4()
            guard low >= 0xdc00, low < 0xe000 else { throw error("half a surrogate pair") }
            code = 0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
        return scalar
    }

    mutating func hex4() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let text = String(validating: bytes[position..<position + 4], as: UTF8.self),
            text.allSatisfy(\.isHexDigit), let value = UInt32(text, radix: 16)
        else { throw error("expected four hex digits") }
        position += 4
        return value
    }
}
