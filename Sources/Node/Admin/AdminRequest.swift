public import Bytes
public import JSON

/// What can be asked of a running node.
public enum AdminRequest: Equatable, Sendable {
    /// Counters, mixer, memory, peers.
    case status
    /// Channels in both directions.
    case channels
    /// Opens a channel to an address with a first amount.
    case openChannel(to: Address, amount: UInt128)
    /// Puts more into a channel.
    case fundChannel(to: Address, amount: UInt128)
    /// Gives notice, or closes once the notice period is over.
    case closeChannel(to: Address)
    /// What became of tickets, by channel.
    case tickets
    /// Redeems what can be redeemed now.
    case redeem
    /// Reads keys and exit targets again.
    case reload
    /// Has another program go on in the node's place: the file it was started from, or another
    /// one, which must say within a time that it can.
    case upgrade(binary: String?, waitMillis: Int)
    /// Records what crosses the links into a file.
    case beginTrace(TraceWish)
    /// How the recording to a file is doing; it ends if nobody asks for long.
    case traceState(file: String)
    /// Ends the recording to a file.
    case endTrace(file: String)

    /// True if asking twice is not the same as asking once.
    var changes: Bool {
        switch self {
        case .status, .channels, .tickets, .traceState: false
        case .openChannel, .fundChannel, .closeChannel, .redeem, .reload, .upgrade, .beginTrace,
            .endTrace:
            true
        }
    }

    /// The verb, and for the log whom it is about.
    var name: String {
        switch self {
        case .status: "status"
        case .channels: "channels"
        case .openChannel: "open-channel"
        case .fundChannel: "fund-channel"
        case .closeChannel: "close-channel"
        case .tickets: "tickets"
        case .redeem: "redeem"
        case .reload: "reload"
        case .upgrade: "upgrade"
        case .beginTrace: "trace-begin"
        case .traceState: "trace-state"
        case .endTrace: "trace-end"
        }
    }

    /// The request as one JSON object; `id` makes a repetition harmless.
    public func document(id: String) -> JSON {
        var members = [JSON.Member("verb", .string(name)), JSON.Member("id", .string(id))]
        switch self {
        case .status, .channels, .tickets, .redeem, .reload: break
        case .openChannel(let to, let amount), .fundChannel(let to, let amount):
            members.append(JSON.Member("to", .string(to.hex)))
            members.append(JSON.Member("amount", .string("\(amount)")))
        case .closeChannel(let to): members.append(JSON.Member("to", .string(to.hex)))
        case .upgrade(let binary, let waitMillis):
            if let binary { members.append(JSON.Member("binary", .string(binary))) }
            members.append(JSON.Member("wait_ms", .integer(waitMillis)))
        case .beginTrace(let wish): members += wish.members
        case .traceState(let file), .endTrace(let file):
            members.append(JSON.Member("file", .string(file)))
        }
        return .object(members)
    }

    /// Reads what `document` gives. Throws a sentence for the one who asked.
    public init(_ document: JSON) throws(AdminError) {
        guard document.members != nil else { throw AdminError("a request is a JSON object") }
        guard let verb = document["verb"]?.text else { throw AdminError("verb is missing") }
        switch verb {
        case "status": self = .status
        case "channels": self = .channels
        case "open-channel":
            self = .openChannel(to: try Self.to(document), amount: try Self.amount(document))
        case "fund-channel":
            self = .fundChannel(to: try Self.to(document), amount: try Self.amount(document))
        case "close-channel": self = .closeChannel(to: try Self.to(document))
        case "tickets": self = .tickets
        case "redeem": self = .redeem
        case "reload": self = .reload
        case "upgrade": self = try Self.upgrade(document)
        case "trace-begin": self = .beginTrace(try TraceWish(document))
        case "trace-state": self = .traceState(file: try TraceWish.file(document))
        case "trace-end": self = .endTrace(file: try TraceWish.file(document))
        default: throw AdminError("unknown verb")
        }
    }

    private static func upgrade(_ document: JSON) throws(AdminError) -> AdminRequest {
        let binary = document["binary"]?.text
        guard binary?.hasPrefix("/") != false else {
            throw AdminError("binary is not the full path of a file")
        }
        let millis = document["wait_ms"]?.integer ?? 10_000
        guard (1...60_000).contains(millis) else {
            throw AdminError("wait_ms is not a number from 1 to 60000")
        }
        return .upgrade(binary: binary, waitMillis: Int(millis))
    }

    private static func to(_ document: JSON) throws(AdminError) -> Address {
        guard let address = document["to"]?.text.flatMap({ Address(hex: $0) }) else {
            throw AdminError("to is not a chain address of 20 bytes in hexadecimal")
        }
        return address
    }

    private static func amount(_ document: JSON) throws(AdminError) -> UInt128 {
        guard let amount = document["amount"]?.text.flatMap({ UInt128($0) }), amount > 0 else {
            throw AdminError("amount is not a whole number above 0")
        }
        return amount
    }
}

/// Why a node did not do what it was asked.
public struct AdminError: Error, Equatable, CustomStringConvertible {
    /// A sentence for the one who asked.
    public var reason: String

    /// Says why.
    public init(_ reason: String) { self.reason = reason }

    /// The reason.
    public var description: String { reason }
}
