internal import CJansson

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
    ///
    /// Whole numbers must fit 64 bits with a sign; a member named twice is an error, and so is a
    /// zero character inside a string.
    public static func parse(_ bytes: some Collection<UInt8>) throws(JSONError) -> JSON {
        var fault = json_error_t()
        let flags = Int(JSON_DECODE_ANY | JSON_REJECT_DUPLICATES)
        let text = Array(bytes)
        let root = unsafe text.withUnsafeBytes { raw in
            unsafe json_loadb(raw.baseAddress, raw.count, flags, &fault)
        }
        guard let root = unsafe root else {
            throw JSONError(reason: message(fault), offset: Int(fault.position))
        }
        defer { unsafe json_decref(root) }
        guard let value = unsafe JSON(root, depth: 0) else {
            throw JSONError(reason: "nested too deep", offset: 0)
        }
        return value
    }

    /// Reads one value that takes up all of `text`.
    public static func parse(_ text: String) throws(JSONError) -> JSON {
        try parse(Array(text.utf8))
    }

    /// Copies a value of the library; nil if it is nested too deep.
    private init?(_ value: UnsafeMutablePointer<json_t>, depth: Int) {
        guard depth < JSON.depthMax else { return nil }
        switch unsafe value.pointee.type {
        case JSON_OBJECT:
            var members: [Member] = []
            var place = unsafe json_object_iter(value)
            while let here = unsafe place {
                guard let name = unsafe json_object_iter_key(here),
                    let child = unsafe json_object_iter_value(here),
                    let inner = unsafe JSON(child, depth: depth + 1)
                else { return nil }
                members.append(unsafe Member(String(cString: name), inner))
                unsafe place = json_object_iter_next(value, here)
            }
            self = .object(members)
        case JSON_ARRAY:
            var elements: [JSON] = []
            for index in 0..<(unsafe json_array_size(value)) {
                guard let child = unsafe json_array_get(value, index),
                    let inner = unsafe JSON(child, depth: depth + 1)
                else { return nil }
                elements.append(inner)
            }
            self = .array(elements)
        case JSON_STRING:
            guard let text = unsafe json_string_value(value) else { return nil }
            self = unsafe .string(String(cString: text))
        case JSON_INTEGER: self = unsafe .number("\(json_integer_value(value))")
        case JSON_REAL: self = unsafe .number("\(json_real_value(value))")
        case JSON_TRUE: self = .bool(true)
        case JSON_FALSE: self = .bool(false)
        default: self = .null
        }
    }

    private static func message(_ fault: json_error_t) -> String {
        unsafe withUnsafeBytes(of: fault.text) { raw in
            unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
