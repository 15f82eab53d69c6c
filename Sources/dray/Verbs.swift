import Crypto
import Crypto
import JSON
import Node

/// The command line's table of contents.
enum Verbs {
    static let all: [Verb] = [
        .keygen, .run, .check, .status, .upgrade, .demo, .send, .tunnel,
        .traceRecord, .traceReplay, .traceShow,
        .channelsList, .channelsOpen, .channelsFund, .channelsClose,
        .ticketsList, .ticketsRedeem,
        .ledgerServe, .ledgerStatus, .conform,
    ]

    /// Does what the words say and returns the exit code.
    static func run(_ words: [String]) -> Int32 {
        do throws(Failure) {
            try dispatch(words)
            return 0
        } catch {
            if !error.message.isEmpty {
                writeLine(error.isLocated ? error.message : "dray: \(error.message)")
            }
            return error.code
        }
    }

    private static func dispatch(_ words: [String]) throws(Failure) {
        if let complaint = Kernels.complaint { throw .usage(complaint) }
        if let complaint = Kernels.complaint { throw .usage(complaint) }
        guard let first = words.first else { throw .usage("what shall it do?\n\n\(overview)") }
        switch first {
        case "--version": return try version(Array(words.dropFirst()))
        case "--help", "-h": return print(overview)
        case "help": return try explain(Array(words.dropFirst()))
        default: break
        }
        guard let (verb, rest) = find(words) else { throw unknown(words) }
        let arguments = try Arguments(rest, of: verb)
        if arguments.flags.contains("help") { return print(verb.helpText) }
        try verb.run(arguments)
    }

    private static func find(_ words: [String]) -> (Verb, [String])? {
        for count in [2, 1] where words.count >= count {
            let name = words.prefix(count).joined(separator: " ")
            if let verb = all.first(where: { $0.name == name }) {
                return (verb, Array(words.dropFirst(count)))
            }
        }
        return nil
    }

    private static func unknown(_ words: [String]) -> Failure {
        let group = all.filter { $0.name.hasPrefix("\(words[0]) ") }
        if !group.isEmpty {
            let names = group.map { "dray \($0.name)" }.joined(separator: ", ")
            if words.count > 1, words[1] == "--help" || words[1] == "-h" {
                print(group.map(\.helpText).joined(separator: "\n\n\n"))
                return Failure(code: 0, message: "")
            }
            return .usage("which one: \(names)?")
        }
        let firsts = Array(Set(all.map { String($0.name.prefix { $0 != " " }) }))
        let hint = Suggestion.nearest(to: words[0], among: firsts).map {
            "; did you mean dray \($0)?"
        }
        return .usage("unknown verb \(words[0])\(hint ?? "; dray --help lists them")")
    }

    private static func explain(_ words: [String]) throws(Failure) {
        if words.isEmpty { return print(overview) }
        guard let (verb, _) = find(words) else { throw unknown(words) }
        print(verb.helpText)
    }

    private static func version(_ words: [String]) throws(Failure) {
        guard words.isEmpty || words == ["--json"] else {
            throw .usage("--version takes no other words than --json")
        }
        print(words.isEmpty ? Version.text : Version.document.description)
    }

    private static var overview: String {
        """
        dray: a relay engine for paid onion networks

        usage: dray VERB [options]

        \(columns(all.map { ($0.name, $0.summary) }))

          dray VERB --help    options and an example
          dray --version      version, commit, kernel table

        exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 nobody answers
        """
    }
}
