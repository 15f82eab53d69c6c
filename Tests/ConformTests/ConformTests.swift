import Conform
import JSON
import TestSupport
import Testing

private let files = (try? Vectors.names(prefix: "")) ?? []

private func check(_ name: String, _ root: JSON) -> Conformance {
    var conformance = Conformance()
    conformance.check(name: name, bytes: Array(root.description.utf8))
    return conformance
}

@Test(arguments: files)
func `a published file conforms`(name: String) throws {
    var conformance = Conformance()
    conformance.check(name: name, bytes: try Vectors.bytes(name))
    #expect(conformance.failures.map(\.line) == [])
    #expect(conformance.passed > 20)
}

@Test func `a folder is checked file by file`() {
    var conformance = Conformance()
    conformance.check(folder: Vectors.folder.path + "/hopr")
    #expect(conformance.files == files.count && files.count == 31)
    #expect(conformance.failures.isEmpty)
    #expect(conformance.passed > 5_000)
    #expect(conformance.summary == "\(conformance.passed) passed, 0 failed")
    #expect(conformance.json["failed"]?.integer == 0)
    #expect(conformance.json["passed"]?.integer == conformance.passed)
}

@Test func `what is no vector file is an error`() {
    var conformance = Conformance()
    conformance.check(folder: "/nonexistent/folder")
    #expect(conformance.failures.count == 1)
    for (name, text) in [
        ("unknown.json", "{}"), ("packet-head-x.json", ""), ("packet-head-x.json", "{"),
        ("packet-head-x.json", "[]"), ("packet-v9-x.json", "{}"), ("packets.json", "{}"),
        ("commitment.json", "{\"cases\":[]}"), ("negative-head.json", "null"),
        ("primitives-head.json", "{\"profile\":3,\"vectors\":{\"kdf\":[{}]}}"),
    ] {
        var conformance = Conformance()
        conformance.check(name: name, bytes: Array(text.utf8))
        #expect(!conformance.failures.isEmpty, "\(name) with \(text)")
    }
}

// MARK: - Corruption

/// Labels, which say nothing about the format, and inputs that nothing else in the file depends on.
private func isFree(_ path: [String], _ file: String) -> Bool {
    let name = path.last ?? ""
    if ["seed", "note", "use", "name", "what"].contains(name) { return true }
    // A node's key id matters only where the node is on a path.
    if name == "key_id" { return true }
    // Whatever is done to what must be refused, it is refused.
    if file.contains("negative"), name == "packet" { return true }
    guard file.contains("primitives") else { return false }
    // An amount is rounded, and clamping drops bits: another input may give the same output.
    if path.contains("ticket_amount"), name == "win_prob" { return true }
    if path.contains("scalar_from_bytes"), name == "in" { return true }
    return path.contains("alpha_edge_cases") && name == "alpha_in" || name == "acknowledgement"
}

/// Paths to all leaves.
private func leaves(_ value: JSON, _ path: [String] = []) -> [[String]] {
    if let members = value.members {
        return members.flatMap { leaves($0.value, path + [$0.name]) }
    }
    if let elements = value.elements {
        return elements.enumerated().flatMap { leaves($0.element, path + ["\($0.offset)"]) }
    }
    return [path]
}

/// The value with the leaf at `path` replaced.
private func replace(_ value: JSON, _ path: ArraySlice<String>, _ change: (JSON) -> JSON) -> JSON {
    guard let name = path.first else { return change(value) }
    let rest = path.dropFirst()
    switch value {
    case .object(let members):
        return .object(
            members.map {
                $0.name == name ? JSON.Member(name, replace($0.value, rest, change)) : $0
            }
        )
    case .array(let elements):
        return .array(
            elements.enumerated().map {
                "\($0.offset)" == name ? replace($0.element, rest, change) : $0.element
            }
        )
    default: return value
    }
}

/// Another value of the same type: the smallest change that counts.
private func spoil(_ value: JSON, _ random: inout SeededGenerator) -> JSON {
    switch value {
    case .null: return .string("00")
    case .bool(let flag): return .bool(!flag)
    case .number(let text):
        if let whole = Int(text) { return .integer(whole + 1) }
        return .number("0.4242")
    case .string(let text):
        guard !text.isEmpty else { return .string("ab") }
        var digits = Array(text.utf8)
        // Towards the end: the pseudonym is written over the beginning of the sender id's draw.
        let index = Int.random(in: digits.count * 3 / 5..<digits.count, using: &random)
        digits[index] = digits[index] == UInt8(ascii: "5") ? UInt8(ascii: "6") : UInt8(ascii: "5")
        return .string(String(decoding: digits, as: UTF8.self))
    default: return .null
    }
}

@Test(
    arguments: [
        ("hopr/packet-head-1hop-text.json", 160), ("hopr/packet-v4-1hop-2surbs.json", 60),
        ("hopr/packet-mix13-2hop-max.json", 20), ("hopr/ack-packets-head.json", 60),
        ("hopr/negative-v4.json", 25), ("hopr/primitives-v4.json", 60),
        ("hopr/commitment.json", 20),
    ])
func `a change in any one field is noticed`(file: String, count: Int) throws {
    var random = SeededGenerator("spoilt \(file)")
    let root = try Vectors.load(file)
    let paths = leaves(root).filter { !isFree($0, file) }.shuffled(using: &random).prefix(count)
    for path in paths {
        let spoilt = replace(root, path[...]) { spoil($0, &random) }
        let result = check(file, spoilt)
        #expect(!result.failures.isEmpty, "\(path.joined(separator: "."))")
    }
}

@Test(arguments: ["hopr/packet-v4-0hop-surb0.json", "hopr/ack-packets-v4.json"])
func `values of a wrong type or length never trap`(file: String) throws {
    var random = SeededGenerator("mangled \(file)")
    let root = try Vectors.load(file)
    let paths = leaves(root)
    let junk: [JSON] = [
        .null, .bool(true), .integer(-1), .integer(1 << 62), .double(1e300), .string(""),
        .string("0"), .string("zz"), .string("00"), .string(String(repeating: "ff", count: 32)),
        .string(String(repeating: "00", count: 32)), .array([]), .object([]),
        .array([.integer(99), .integer(-5)]),
    ]
    for _ in 0..<60 {
        var spoilt = root
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard let path = paths.randomElement(using: &random) else { continue }
            let depth = Int.random(in: 1...path.count, using: &random)
            let value = junk.randomElement(using: &random) ?? .null
            spoilt = replace(spoilt, path[..<depth]) { _ in value }
        }
        _ = check(file, spoilt)
    }
}
