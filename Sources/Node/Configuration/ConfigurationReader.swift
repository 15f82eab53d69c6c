internal import Bytes

/// One thing wrong with a configuration file.
public struct ConfigurationIssue: Error, Equatable, CustomStringConvertible {
    /// The file as it was named.
    public var file: String
    /// Line in the file, from 1.
    public var line: Int
    /// Dotted key; empty if the file is no TOML at all.
    public var key: String
    /// What is wrong with it.
    public var reason: String

    /// `file:line: key: reason`.
    public var description: String {
        key.isEmpty ? "\(file):\(line): \(reason)" : "\(file):\(line): \(key): \(reason)"
    }
}

/// Everything wrong with a configuration file, in the order of its lines.
public struct ConfigurationErrors: Error, CustomStringConvertible {
    /// At least one.
    public var issues: [ConfigurationIssue]

    /// One line each.
    public var description: String { issues.map(\.description).joined(separator: "\n") }
}

/// Takes typed values out of a document, collects what is wrong, and knows which keys exist.
struct ConfigurationReader {
    private let file: String
    private let document: TomlDocument
    private var known: [String] = []
    private(set) var issues: [ConfigurationIssue] = []

    init(file: String, text: [UInt8]) throws(ConfigurationErrors) {
        self.file = file
        do throws(TomlDocument.SyntaxError) {
            document = try TomlDocument(text)
        } catch {
            throw ConfigurationErrors(issues: [
                ConfigurationIssue(file: file, line: error.line, key: "", reason: error.reason)
            ])
        }
    }

    mutating func string(_ key: String) -> String? {
        take(key, "a string") { if case .string(let value) = $0 { value } else { nil } }
    }

    mutating func required(_ key: String) -> String {
        if let value = string(key) {
            if value.isEmpty { report(key, "is empty") }
            return value
        }
        if document[key] == nil { report(key, "is missing") }
        return ""
    }

    mutating func boolean(_ key: String, _ otherwise: Bool) -> Bool {
        take(key, "true or false") { if case .boolean(let value) = $0 { value } else { nil } }
            ?? otherwise
    }

    mutating func integer(_ key: String, _ otherwise: Int, in range: ClosedRange<Int>) -> Int {
        let taken = take(key, "a whole number") {
            if case .integer(let value) = $0 { Int(value) } else { nil }
        }
        guard let taken else { return otherwise }
        guard range.contains(taken) else {
            report(key, "\(taken) is not between \(range.lowerBound) and \(range.upperBound)")
            return otherwise
        }
        return taken
    }

    mutating func optionalInteger(_ key: String, in range: ClosedRange<Int>) -> Int? {
        let value = integer(key, range.lowerBound, in: range)
        return has(key) ? value : nil
    }

    mutating func number(_ key: String, _ otherwise: Double, in range: ClosedRange<Double>)
        -> Double
    {
        let taken = take(key, "a number") {
            switch $0 {
            case .float(let value): value
            case .integer(let value): Double(value)
            case .table, .array, .string, .boolean, .other: nil
            }
        }
        guard let taken else { return otherwise }
        guard range.contains(taken) else {
            report(key, "\(taken) is not between \(range.lowerBound) and \(range.upperBound)")
            return otherwise
        }
        return taken
    }

    /// An amount of money: a whole number, or a string of digits when it is large.
    mutating func amount(_ key: String, _ otherwise: UInt128) -> UInt128 {
        let limit = Configuration.amountLimit
        let taken: UInt128? = take(key, "an amount: a whole number, or a string of digits") {
            switch $0 {
            case .integer(let value): UInt128(exactly: value)
            case .string(let text): UInt128(text)
            case .table, .array, .float, .boolean, .other: nil
            }
        }
        guard let taken else { return otherwise }
        guard taken < limit else {
            report(key, "\(taken) is not below 10^25")
            return otherwise
        }
        return taken
    }

    /// One word of a list.
    mutating func choice(_ key: String, _ otherwise: String, of words: [String]) -> String {
        guard let word = string(key) else { return otherwise }
        if words.contains(word) { return word }
        let hint = Suggestion.nearest(to: word, among: words).map { "; did you mean \"\($0)\"?" }
        report(key, "\"\(word)\" is not one of \(words.joined(separator: ", "))\(hint ?? "")")
        return otherwise
    }

    /// A list of strings, each with its own line for later complaints.
    mutating func strings(_ key: String) -> [(text: String, key: String)] {
        elements(key).compactMap { element in
            string(element).map { ($0, element) }
        }
    }

    /// A list of whole numbers.
    mutating func integers(_ key: String, in range: ClosedRange<Int>) -> [Int] {
        elements(key).map { integer($0, range.lowerBound, in: range) }
    }

    /// Reads `count` bytes of hex; nil if the key is not there.
    mutating func hex(_ key: String, count: Int) -> [UInt8]? {
        guard let text = string(key) else { return nil }
        guard let bytes = Hex.decode(text), bytes.count == count else {
            report(key, "is not \(count) bytes in hexadecimal")
            return nil
        }
        return bytes
    }

    /// Keys that were asked for and are not in the file.
    var missing: [String] { known.filter { document[$0] == nil } }

    func has(_ key: String) -> Bool { document[key] != nil }

    mutating func report(_ key: String, _ reason: String) {
        issues.append(
            ConfigurationIssue(file: file, line: line(of: key), key: key, reason: reason)
        )
    }

    /// Reports keys that nobody asked for; to be called last. Throws if anything was wrong.
    mutating func finish() throws(ConfigurationErrors) {
        let sections = Set(known.flatMap(prefixes))
        var unknownSection: String?
        for entry in document.entries where !known.contains(entry.path) {
            if sections.contains(entry.path), entry.value == .table { continue }
            if let section = unknownSection, entry.path.hasPrefix(section + ".") { continue }
            if entry.path.contains("["), known.contains(String(entry.path.prefix { $0 != "[" })) {
                continue
            }
            if entry.value == .table { unknownSection = entry.path }
            let candidates = entry.value == .table ? Array(sections) : known
            let hint = Suggestion.nearest(to: entry.path, among: candidates)
            report(entry.path, "unknown key\(hint.map { "; did you mean \"\($0)\"?" } ?? "")")
        }
        guard issues.isEmpty else {
            throw ConfigurationErrors(issues: issues.sorted { $0.line < $1.line })
        }
    }

    private mutating func elements(_ key: String) -> [String] {
        let count = take(key, "a list") { if case .array(let count) = $0 { count } else { nil } }
        return (0..<(count ?? 0)).map { "\(key)[\($0)]" }
    }

    private mutating func take<T>(
        _ key: String,
        _ expected: String,
        _ convert: (TomlDocument.Value) -> T?
    ) -> T? {
        known.append(key)
        guard let entry = document[key] else { return nil }
        if let value = convert(entry.value) { return value }
        report(key, "is not \(expected)")
        return nil
    }

    /// The line of the key, else of the section it should be in, else the first.
    private func line(of key: String) -> Int {
        if let entry = document[key] { return entry.line }
        for section in prefixes(of: key).reversed() {
            if let entry = document[section] { return entry.line }
        }
        return 1
    }

    private func prefixes(of key: String) -> [String] {
        let parts = key.split(separator: ".")
        return (1..<max(parts.count, 1)).map { parts.prefix($0).joined(separator: ".") }
    }
}
