import Bytes

/// One parser under attack. The same body runs under libFuzzer, which makes the inputs, and in the
/// tests, which replay the corpus.
///
/// A body finds a fault by trapping: a wrong answer is a `precondition`, not a message.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case packet
    case relay
    case ticket
    case message
    case acknowledgement
    case configuration
    case adminSocket = "admin-socket"
    case ledgerSocket = "ledger-socket"
    case vectorFile = "vector-file"
    case frame
    case traceFile = "trace-file"
    case link

    /// Feeds one input.
    public func run(_ input: [UInt8]) {
        switch self {
        case .packet: fuzzPacket(input)
        case .relay: fuzzRelay(input)
        case .ticket: fuzzTicket(input)
        case .message: fuzzMessage(input)
        case .acknowledgement: fuzzAcknowledgement(input)
        case .configuration: fuzzConfiguration(input)
        case .adminSocket: fuzzAdminSocket(input)
        case .ledgerSocket: fuzzLedgerSocket(input)
        case .vectorFile: fuzzVectorFile(input)
        case .frame: fuzzFrames(input)
        case .traceFile: fuzzTraceFile(input)
        case .link: fuzzLink(input)
        }
    }
}

/// Takes an input apart from the front; what is missing reads as zero.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func word() -> UInt64 { (0..<8).reduce(0) { value, _ in value << 8 | UInt64(byte()) } }

    mutating func bytes(_ count: Int) -> [UInt8] {
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken + [UInt8](repeating: 0, count: count - taken.count)
    }
}

extension FuzzTarget {
    /// libFuzzer's callback takes no context: this process's target, set once before it starts.
    nonisolated(unsafe) private static var chosen = FuzzTarget.packet

    /// Sets the target by name; false if there is none of that name.
    public static func choose(_ name: String) -> Bool {
        guard let target = FuzzTarget(rawValue: name) else { return false }
        chosen = target
        return true
    }

    /// Feeds the chosen target.
    public static func runChosen(_ input: [UInt8]) { chosen.run(input) }
}
