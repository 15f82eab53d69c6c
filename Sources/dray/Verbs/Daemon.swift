import Bytes
import JSON
import Node

// Verbs that ask a running node over its admin socket.

let socketOption = Verb.Option(
    name: "socket",
    value: "PATH",
    help: "the node's admin socket, instead of --config"
)
let configOption = Verb.Option(
    name: "config",
    value: "FILE",
    help: "the node's configuration, to find its admin socket"
)
private let peer = Verb.Option(
    name: "to",
    value: "ADDRESS",
    help: "chain address of the channel's destination",
    required: true
)
private let amount = Verb.Option(
    name: "amount",
    value: "N",
    help: "amount in the ledger's smallest unit",
    required: true
)

extension Verb {
    static let status = Verb(
        name: "status",
        summary: "what a running node has done and holds",
        options: [configOption, socketOption],
        example: "dray status --config /etc/dray/dray.toml",
        run: { arguments throws(Failure) in
            try show(.status, arguments) { StatusText.text($0) }
        }
    )

    static let channelsList = Verb(
        name: "channels list",
        summary: "a running node's channels",
        options: [configOption, socketOption],
        example: "dray channels list --config /etc/dray/dray.toml",
        run: { arguments throws(Failure) in
            try show(.channels, arguments) { StatusText.channels($0) }
        }
    )

    static let channelsOpen = Verb(
        name: "channels open",
        summary: "open a channel to a node, with a first amount",
        options: [configOption, socketOption, peer, amount],
        example: "dray channels open --config dray.toml --to 0x5fc8…a1 --amount 1000000",
        run: { arguments throws(Failure) in
            let request = AdminRequest.openChannel(
                to: try address(arguments),
                amount: try money(arguments)
            )
            try show(request, arguments) { StatusText.done($0) }
        }
    )

    static let channelsFund = Verb(
        name: "channels fund",
        summary: "put more into a channel",
        options: [configOption, socketOption, peer, amount],
        example: "dray channels fund --config dray.toml --to 0x5fc8…a1 --amount 1000000",
        run: { arguments throws(Failure) in
            let request = AdminRequest.fundChannel(
                to: try address(arguments),
                amount: try money(arguments)
            )
            try show(request, arguments) { StatusText.done($0) }
        }
    )

    static let channelsClose = Verb(
        name: "channels close",
        summary: "give notice of closing a channel; again after the notice period to close it",
        options: [configOption, socketOption, peer],
        example: "dray channels close --config dray.toml --to 0x5fc8…a1",
        run: { arguments throws(Failure) in
            try show(.closeChannel(to: try address(arguments)), arguments) { StatusText.done($0) }
        }
    )

    static let ticketsList = Verb(
        name: "tickets list",
        summary: "what became of the tickets a node received, by channel",
        options: [configOption, socketOption],
        example: "dray tickets list --config /etc/dray/dray.toml",
        run: { arguments throws(Failure) in
            try show(.tickets, arguments) { StatusText.tickets($0) }
        }
    )

    static let ticketsRedeem = Verb(
        name: "tickets redeem",
        summary: "turn winning tickets into money now",
        options: [configOption, socketOption],
        example: "dray tickets redeem --config /etc/dray/dray.toml",
        run: { arguments throws(Failure) in
            try show(.redeem, arguments) { StatusText.done($0) }
        }
    )
}

private func show(
    _ request: AdminRequest,
    _ arguments: Arguments,
    _ text: (JSON) -> String
) throws(Failure) {
    let result = try ask(request, try adminSocket(arguments))
    print(arguments.json ? result.description : text(result))
}

/// Where the node that the options name listens.
func adminSocket(_ arguments: Arguments) throws(Failure) -> String {
    if let socket = arguments["socket"] { return socket }
    if arguments["config"] != nil { return try Failure.load(arguments).node.adminSocket }
    throw .usage("name the node: --config FILE or --socket PATH")
}

/// The answer of a running node.
func ask(_ request: AdminRequest, _ socket: String) throws(Failure) -> JSON {
    do throws(AdminClientError) {
        return try AdminClient.ask(request, socket: socket)
    } catch {
        switch error {
        case .unreachable: throw .unreachable(error.description)
        case .refused: throw .failed(error.description)
        }
    }
}

private func address(_ arguments: Arguments) throws(Failure) -> Address {
    let text = arguments.value("to")
    guard let address = Address(hex: text) else {
        throw .usage("--to \(text): not a chain address of 20 bytes in hexadecimal")
    }
    return address
}

private func money(_ arguments: Arguments) throws(Failure) -> UInt128 {
    let text = arguments.value("amount")
    guard let amount = UInt128(text), amount > 0 else {
        throw .usage("--amount \(text): not a whole number above 0")
    }
    return amount
}
