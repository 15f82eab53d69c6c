internal import Bytes
internal import JSON

/// Collects what the checks of one file find.
final class Sink {
    private(set) var passed = 0
    private(set) var failures: [(field: String, reason: String)] = []

    func record(_ held: Bool, _ field: String, _ reason: @autoclosure () -> String) {
        if held {
            passed += 1
        } else {
            failures.append((field, reason()))
        }
    }
}

/// A place in a vector file. Reading what is missing or malformed is a failed check of its own.
struct Field {
    let value: JSON?
    let path: String
    let sink: Sink

    subscript(name: String) -> Field {
        let place = path.isEmpty ? name : path + "." + name
        return Field(value: value?[name], path: place, sink: sink)
    }

    subscript(index: Int) -> Field {
        Field(value: value?[index], path: "\(path)[\(index)]", sink: sink)
    }

    /// True for null; false for everything else, absence too.
    var isNull: Bool { value == .null }
    var exists: Bool { value != nil }

    func fail(_ reason: String) { sink.record(false, path, reason) }
    func expect(_ held: Bool, _ reason: @autoclosure () -> String) {
        sink.record(held, path, reason())
    }
}

// Inputs.
extension Field {
    /// The elements of an array.
    var items: [Field] {
        guard let elements = value?.elements else {
            fail("no array")
            return []
        }
        return elements.indices.map { self[$0] }
    }

    /// Bytes from hex; of exactly `count` if given.
    func bytes(_ count: Int? = nil) -> [UInt8]? {
        guard let text = value?.text, let bytes = Hex.decode(text) else {
            fail("no hex")
            return nil
        }
        if let count, bytes.count != count {
            fail("\(bytes.count) bytes instead of \(count)")
            return nil
        }
        return bytes
    }

    /// So many bytes as a value.
    func fixed<let n: Int>() -> FixedBytes<n>? { bytes(n).flatMap { FixedBytes<n>($0) } }
    func bytes32() -> Bytes32? { fixed() }
    func address() -> Address? { fixed() }

    func integer() -> Int? { read(value?.integer, "no whole number") }
    func unsigned() -> UInt64? { read(value?.unsigned, "no unsigned number") }
    func double() -> Double? { read(value?.double, "no number") }
    func flag() -> Bool? { read(value?.bool, "neither true nor false") }
    func text() -> String? { read(value?.text, "no text") }
    func amount() -> UInt128? { read(value?.text.flatMap { UInt128($0) }, "no amount") }

    private func read<T>(_ value: T?, _ reason: String) -> T? {
        if value == nil { fail(reason) }
        return value
    }
}

// Checks.
extension Field {
    /// The field's hex is exactly these bytes.
    func equals(_ bytes: [UInt8]?) {
        guard let bytes else { return fail("cannot be computed") }
        guard let found = self.bytes() else { return }
        expect(found == bytes, "is not \(Field.shorten(bytes))")
    }

    func equals<let n: Int>(_ bytes: FixedBytes<n>?) { equals(bytes?.array) }

    func equals(_ number: some BinaryInteger) {
        guard let found = integer() else { return }
        expect(found == number, "is not \(number)")
    }

    func equals(_ flag: Bool) {
        guard let found = self.flag() else { return }
        expect(found == flag, "is not \(flag)")
    }

    func equals(_ text: String) {
        guard let found = self.text() else { return }
        expect(found == text, "is not \(text)")
    }

    func equals(amount: UInt128?) {
        guard let amount else { return fail("cannot be computed") }
        equals("\(amount)")
    }

    /// The array has so many elements.
    func counts(_ count: Int) {
        guard let elements = value?.elements else { return fail("no array") }
        expect(elements.count == count, "\(elements.count) elements instead of \(count)")
    }

    private static func shorten(_ bytes: [UInt8]) -> String {
        bytes.count <= 33 ? Hex.encode(bytes) : Hex.encode(bytes.prefix(16)) + "…"
    }
}
