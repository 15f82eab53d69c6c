public import Bytes
internal import Exchange
internal import JSON
internal import LocalSocket
internal import Synchronization

/// Speaks to a ledger over its socket; connects when it is needed, and again after an error.
public final class LedgerClient: SettlementLayer {
    private let path: String
    // The connection in use; taken out while a request is on its way.
    private let connection = Mutex(Connection())

    private struct Connection: ~Copyable {
        var client: LineClient?
    }

    /// Will connect to `socket`.
    public init(socket: String) { path = socket }

    /// State at a glance.
    public func status() throws(ChainError) -> LedgerStatus {
        let answer = try ask(["do": "status"])
        guard let status = LedgerWire.status(answer) else { throw .protocolViolation("status") }
        return status
    }

    /// An account; nil if nobody has the address.
    public func account(_ address: Address) throws(ChainError) -> Account? {
        let answer = try ask(["do": "account", "address": .string(address.hex)])
        guard let text = answer["record"]?.text, let record = Hex.decode(text) else {
            throw .protocolViolation("account")
        }
        guard !record.isEmpty else { return nil }
        guard let account = Account(record: record) else { throw .protocolViolation("account") }
        return account
    }

    /// Accounts in order of address.
    public func accounts(after: Address?) throws(ChainError) -> [Account] {
        let after = after.map { JSON.string($0.hex) } ?? .null
        return try records(["do": "accounts", "after": after], Account.init(record:))
    }

    /// Channels in order of id.
    public func channels(after: Bytes32?) throws(ChainError) -> [Channel] {
        let after = after.map { JSON.string($0.hex) } ?? .null
        return try records(["do": "channels", "after": after], Channel.init(record:))
    }

    /// Packet keys in order of key id.
    public func nodes(after: UInt32) throws(ChainError) -> [RegisteredNode] {
        try records(["do": "nodes", "after": .integer(after)], RegisteredNode.init(record:))
    }

    /// Events from the first after `sequence` on.
    public func events(since sequence: UInt64) throws(ChainError) -> [LedgerEvent] {
        try records(["do": "events", "since": .integer(sequence)], LedgerEvent.init(record:))
    }

    /// Carries out a signed request.
    public func submit(_ request: SignedRequest) throws(ChainError) -> Receipt {
        let answer = try ask([
            "do": "submit", "request": LedgerWire.hex(request.packed),
        ])
        guard let receipt = LedgerWire.receipt(answer) else {
            throw .protocolViolation("receipt")
        }
        return receipt
    }

    private func records<Record>(
        _ request: JSON,
        _ make: ([UInt8]) -> Record?
    ) throws(ChainError) -> [Record] {
        let answer = try ask(request)
        guard let elements = answer["records"]?.elements else {
            throw .protocolViolation("no records")
        }
        var records: [Record] = []
        for element in elements {
            guard let text = element.text, let bytes = Hex.decode(text), let record = make(bytes)
            else { throw .protocolViolation("record") }
            records.append(record)
        }
        return records
    }

    private func ask(_ request: JSON) throws(ChainError) -> JSON {
        let line = Array(request.description.utf8)
        let bytes = try exchange(line)
        guard let answer = try? JSON.parse(bytes) else { throw .protocolViolation("no JSON") }
        guard answer["ok"]?.bool == true else {
            guard let refusal = answer["code"]?.text.flatMap(Refusal.init(code:)) else {
                throw .protocolViolation("no code")
            }
            throw .refused(refusal)
        }
        return answer
    }

    /// One line there and one back. A connection that was idle may have been closed by the other
    /// side: then once more on a new one; every request may be sent twice without harm.
    private func exchange(_ line: [UInt8]) throws(ChainError) -> [UInt8] {
        try connection.withLock { (connection) throws(ChainError) -> [UInt8] in
            if connection.client != nil {
                if let answer = try? connection.client?.request(line) { return answer }
                connection.client = nil
            }
            do throws(LocalSocketError) {
                var client = try LineClient(path: path, limits: LedgerServer.limits)
                let answer = try client.request(line)
                connection.client = consume client
                return answer
            } catch {
                throw .unreachable("\(error)")
            }
        }
    }
}
