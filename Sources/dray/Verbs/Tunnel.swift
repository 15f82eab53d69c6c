import Bytes
import Node

/// Options of the entry side.
enum EntrySide {
    static let options = [
        Verb.config,
        Verb.Option(
            name: "to",
            value: "HOST:PORT",
            help: "target, as on the exit's list",
            required: true
        ),
        Verb.Option(name: "hops", value: "N", help: "relays on each path, 0 to 3; else 3"),
        Verb.Option(
            name: "exit",
            value: "ADDRESS",
            help: "chain address of the exit; else entry.exit"
        ),
    ]

    static func read(
        _ arguments: Arguments,
        _ configuration: Configuration,
        listen: HostPort?
    ) throws(Failure) -> EntryOptions {
        let text = arguments.value("to")
        guard let target = HostPort(text), target.port != 0 else {
            throw .usage("--to \(text): not HOST:PORT")
        }
        guard let exit = arguments["exit"] ?? configuration.entry.exit else {
            throw .usage("name the exit: --exit ADDRESS, or entry.exit in the configuration")
        }
        guard let address = Address(hex: exit) else {
            throw .usage("--exit \(exit): not a chain address of 20 bytes in hexadecimal")
        }
        return EntryOptions(
            listen: listen,
            target: target.description,
            exit: address,
            hops: try arguments.integer("hops", 3, in: 0...3)
        )
    }
}

extension Verb {
    static let tunnel = Verb(
        name: "tunnel",
        summary: "carry a local UDP port to a target behind an exit",
        options: EntrySide.options + [
            Option(
                name: "listen",
                value: "ADDRESS:PORT",
                help: "local UDP address",
                required: true
            )
        ],
        example:
            "dray tunnel --config dray.toml --listen 127.0.0.1:5353 --to 192.0.2.1:53 --hops 3",
        json: false,
        run: { arguments throws(Failure) in
            let configuration = try Failure.load(arguments)
            let text = arguments.value("listen")
            guard let listen = HostPort(text) else {
                throw .usage("--listen \(text): not ADDRESS:PORT")
            }
            let entry = try EntrySide.read(arguments, configuration, listen: listen)
            let code = try runNode(configuration, entry: entry)
            if code != 0 { throw Failure(code: code, message: "") }
        }
    )

    static let send = Verb(
        name: "send",
        summary: "send one message to a target behind an exit, and print the answer",
        options: EntrySide.options + [
            Option(name: "text", value: "TEXT", help: "what to send", required: true),
            Option(name: "wait-s", value: "N", help: "longest wait for the answer; else 10"),
        ],
        example: "dray send --config dray.toml --to 192.0.2.1:7 --text hello --hops 3",
        run: sendMessage
    )
}
