/// What the command line asks for.
public struct Options: Sendable {
    /// Suites, names or prefixes; empty means everything.
    public var names: [String] = []
    /// Where to write the document.
    public var json: String?
    /// An earlier document to compare with.
    public var against: String?
    /// One short repetition of everything: shows that it runs, measures nothing.
    public var smoke = false
    /// So many calls of everything, measured by somebody else.
    public var calls: Int?

    /// Reads the arguments after the program's name; the text says what is wrong.
    public static func parse(_ arguments: [String]) -> Result<Options, UsageError> {
        var options = Options()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--smoke": options.smoke = true
            case "--json", "--against":
                guard let file = rest.popFirst() else {
                    return .failure(UsageError(reason: "\(argument) needs a file"))
                }
                if argument == "--json" { options.json = file } else { options.against = file }
            case "--calls":
                guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0 else {
                    return .failure(UsageError(reason: "--calls needs a number"))
                }
                options.calls = count
            case _ where argument.hasPrefix("-"):
                return .failure(UsageError(reason: "unknown option \(argument)"))
            default: options.names.append(argument)
            }
        }
        return .success(options)
    }

    /// True if a case is wanted: by suite, by name or by a prefix of it.
    public func wants(_ item: Case) -> Bool {
        guard item.leastName.isEmpty else {
            return names.contains { item.name.hasPrefix($0) && $0.hasPrefix(item.leastName) }
        }
        return names.isEmpty
            || names.contains { wanted in
                (Options.suites[wanted] ?? [wanted]).contains { item.name.hasPrefix($0) }
            }
    }

    /// True if the load suite is wanted: it takes two cores for a minute or two, so it must be
    /// typed.
    public var wantsLoad: Bool { names.contains { $0 == "load" || $0.hasPrefix("load.") } }

    private static let suites = [
        "peel": ["peel."], "build": ["build."], "relay": ["relay."],
        "curve": ["curve."], "link": ["link."],
        // Beside what a whole relay takes a packet, what it takes without its network.
        "load": ["relay.carried"],
        "tickets": ["ticket.", "ack.", "luck.", "unacked."],
    ]
}

/// Wrong arguments.
public struct UsageError: Error, Sendable {
    /// What is wrong, in words.
    public let reason: String
}
