import Node

/// One thing that `dray` does.
struct Verb: Sendable {
    /// An option `--name VALUE`, or a flag if it has no value.
    struct Option: Sendable {
        let name: String
        let value: String?
        let help: String
        var required = false
    }

    /// One or two words.
    let name: String
    let summary: String
    /// Names of what follows without dashes; all are needed.
    var operands: [String] = []
    var options: [Option] = []
    /// Options for ourselves, which no help names.
    var hidden: [Option] = []
    /// A line that works, or nearly.
    let example: String
    /// True if `--json` is understood.
    var json = true
    let run: @Sendable (Arguments) throws(Failure) -> Void

    static let help = Option(name: "help", value: nil, help: "this text")
    static let jsonFlag = Option(
        name: "json",
        value: nil,
        help: "one JSON document on standard output"
    )
    static let config = Option(
        name: "config",
        value: "FILE",
        help: "the node's configuration",
        required: true
    )

    /// Options that this verb takes, the common ones included.
    var allOptions: [Option] { options + (json ? [Verb.jsonFlag] : []) + [Verb.help] }

    /// The text of `--help`.
    var helpText: String {
        let usage = (operands + options.filter(\.required).map { "--\($0.name) \($0.value ?? "")" })
            .joined(separator: " ")
        let rows = allOptions.map { option in
            ("--\(option.name)\(option.value.map { " \($0)" } ?? "")", option.help)
        }
        return """
            dray \(name): \(summary)

            usage: dray \(name) \(usage)\(allOptions.allSatisfy(\.required) ? "" : " [options]")

            \(columns(rows))

            example:
              \(example)
            """
    }
}

/// Why a verb did not do its work, and the exit code that says so.
struct Failure: Error {
    let code: Int32
    let message: String
    /// Each line says itself where it comes from: `file:line: …`.
    var isLocated = false

    /// The work was tried and failed.
    static func failed(_ message: String) -> Failure { Failure(code: 1, message: message) }
    /// The command line or the configuration is wrong.
    static func usage(_ message: String) -> Failure { Failure(code: 2, message: message) }
    /// The daemon or the ledger does not answer.
    static func unreachable(_ message: String) -> Failure { Failure(code: 3, message: message) }
}

/// Lines of two columns, the second aligned.
func columns(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { left, right in
        "  \(left)\(String(repeating: " ", count: width - left.count))  \(right)"
    }.joined(separator: "\n")
}
