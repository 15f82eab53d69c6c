import Node

/// What stands behind the verb on the command line, taken apart.
struct Arguments: Sendable {
    private(set) var values: [String: String] = [:]
    private(set) var flags = Set<String>()
    private(set) var operands: [String] = []

    /// True if the answer is to be one JSON document.
    var json: Bool { flags.contains("json") }

    subscript(option: String) -> String? { values[option] }

    /// A required option; the parser has seen to it.
    func value(_ option: String) -> String { values[option] ?? "" }

    /// A whole number in a range.
    func integer(
        _ option: String,
        _ otherwise: Int,
        in range: ClosedRange<Int>
    ) throws(Failure) -> Int {
        guard let text = values[option] else { return otherwise }
        guard let number = Int(text), range.contains(number) else {
            throw .usage(
                "--\(option) \(text): not a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)"
            )
        }
        return number
    }

    /// Parses the words after a verb's name.
    init(_ words: [String], of verb: Verb) throws(Failure) {
        var rest = words[...]
        var onlyOperands = false
        while let word = rest.popFirst() {
            if onlyOperands || !word.hasPrefix("-") || word == "-" {
                operands.append(word)
            } else if word == "--" {
                onlyOperands = true
            } else {
                try take(word, &rest, verb)
            }
        }
        if flags.contains("help") { return }
        try check(verb)
    }

    private mutating func take(
        _ word: String,
        _ rest: inout ArraySlice<String>,
        _ verb: Verb
    ) throws(Failure) {
        let parts = word.drop { $0 == "-" }.split(
            separator: "=",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let name = word == "-h" ? "help" : String(parts[0])
        guard word.hasPrefix("--") || word == "-h",
            let option = (verb.allOptions + verb.hidden).first(where: { $0.name == name })
        else {
            let known = verb.allOptions.map { "--\($0.name)" }
            let hint = Suggestion.nearest(to: word, among: known).map { "; did you mean \($0)?" }
            throw .usage("dray \(verb.name): unknown option \(word)\(hint ?? "")")
        }
        if option.value == nil {
            guard parts.count == 1 else { throw .usage("--\(name) takes no value") }
            flags.insert(name)
        } else if let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() {
            guard values.updateValue(value, forKey: name) == nil else {
                throw .usage("--\(name) is given twice")
            }
        } else {
            throw .usage("--\(name) needs a value: --\(name) \(option.value ?? "")")
        }
    }

    private func check(_ verb: Verb) throws(Failure) {
        for option in verb.options where option.required && values[option.name] == nil {
            throw .usage(
                "dray \(verb.name) needs --\(option.name) \(option.value ?? "")"
                    + "; for example: \(verb.example)"
            )
        }
        guard operands.count <= verb.operands.count else {
            throw .usage("dray \(verb.name): too many words: \(operands[verb.operands.count])")
        }
        guard operands.count == verb.operands.count else {
            throw .usage(
                "dray \(verb.name) needs \(verb.operands[operands.count]); for example: "
                    + verb.example
            )
        }
    }
}
