internal import FoundationEssentials
public import JSON

/// Checks published vector files against this build.
///
/// What a file holds is told by the beginning of its name. Files come from outside: garbage gives
/// failures, never a trap.
public struct Conformance: Sendable {
    /// A check that did not hold.
    public struct Failure: Equatable, Sendable {
        /// The file, relative to the folder.
        public let file: String
        /// Where in it, for example `case.creation.alpha`.
        public let field: String
        /// What is wrong.
        public let reason: String

        /// One line for people.
        public var line: String {
            field.isEmpty ? "\(file): \(reason)" : "\(file): \(field): \(reason)"
        }
    }

    /// Checks that held.
    public private(set) var passed = 0
    /// Checks that did not, in order.
    public private(set) var failures: [Failure] = []
    /// Files looked at.
    public private(set) var files = 0

    /// Larger files are refused.
    public static let bytesMax = 64 << 20

    /// Nothing checked yet.
    public init() {}

    /// The last line for people.
    public var summary: String { "\(passed) passed, \(failures.count) failed" }

    /// The whole result as one document.
    public var json: JSON {
        [
            "passed": .integer(passed), "failed": .integer(failures.count),
            "files": .integer(files),
            "failures": .array(
                failures.map {
                    [
                        "file": .string($0.file), "field": .string($0.field),
                        "reason": .string($0.reason),
                    ]
                }
            ),
        ]
    }

    /// Checks every `.json` file under a folder, in the order of their names.
    public mutating func check(folder: String) {
        guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: folder) else {
            fail(folder, "cannot be read")
            return
        }
        let names = paths.filter { $0.hasSuffix(".json") }.sorted()
        if names.isEmpty { fail(folder, "holds no vector file") }
        for name in names {
            guard let data = FileManager.default.contents(atPath: folder + "/" + name) else {
                fail(name, "cannot be read")
                continue
            }
            check(name: name, bytes: [UInt8](data))
        }
    }

    /// Checks one file. The last part of `name` says what it is.
    public mutating func check(name: String, bytes: [UInt8]) {
        files += 1
        guard bytes.count <= Conformance.bytesMax else {
            fail(name, "larger than \(Conformance.bytesMax) bytes")
            return
        }
        let root: JSON
        do {
            root = try JSON.parse(bytes)
        } catch {
            fail(name, "no JSON: \(error.reason) at byte \(error.offset)")
            return
        }
        let sink = Sink()
        let field = Field(value: root, path: "", sink: sink)
        guard let kind = Kind(fileName: name) else {
            fail(name, "unknown kind of vector file")
            return
        }
        kind.check(field)
        passed += sink.passed
        failures += sink.failures.map { Failure(file: name, field: $0.field, reason: $0.reason) }
        if sink.passed == 0, sink.failures.isEmpty { fail(name, "holds nothing to check") }
    }

    private mutating func fail(_ file: String, _ reason: String) {
        failures.append(Failure(file: file, field: "", reason: reason))
    }
}
