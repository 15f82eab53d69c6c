import JSON
import Node

extension Verb {
    static let check = Verb(
        name: "check",
        summary: "say what is wrong with a configuration, without starting",
        options: [
            Option(name: "config", value: "FILE", help: "the configuration to check"),
            Option(name: "example", value: nil, help: "print one with every key and its default"),
        ],
        example: "dray check --config /etc/dray/dray.toml",
        run: checkConfiguration
    )
}

private func checkConfiguration(_ arguments: Arguments) throws(Failure) {
    if arguments.flags.contains("example") { return print(Configuration.example) }
    guard let path = arguments["config"] else { throw .usage("dray check needs --config FILE") }
    do throws(ConfigurationErrors) {
        _ = try Configuration.load(path)
    } catch {
        guard arguments.json else { throw Failure(error) }
        let issues = error.issues.map { issue -> JSON in
            [
                "file": .string(issue.file), "line": .integer(issue.line),
                "key": .string(issue.key), "reason": .string(issue.reason),
            ]
        }
        print(["ok": false, "errors": .array(issues)] as JSON)
        throw Failure(code: 2, message: "")
    }
    print(arguments.json ? (["ok": true, "errors": []] as JSON).description : "\(path): ok")
}

extension Failure {
    /// A wrong configuration: every line of it.
    init(_ error: ConfigurationErrors) {
        self.init(code: 2, message: error.description, isLocated: true)
    }

    /// Loads a configuration for a verb that needs one.
    static func load(_ arguments: Arguments) throws(Failure) -> Configuration {
        do throws(ConfigurationErrors) {
            return try Configuration.load(arguments.value("config"))
        } catch {
            throw Failure(error)
        }
    }
}
