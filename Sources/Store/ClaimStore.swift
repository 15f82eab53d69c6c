public import Bytes

/// One change of what a node must not forget.
public enum Change: Hashable, Sendable {
    /// A claim is new or has moved on.
    case claim(Claim)
    /// Final claims of a channel below an index are forgotten; their counts stay in the totals.
    case prune(ClaimKey)
    /// A channel that pays us.
    case incoming(IncomingState)
    /// A channel through which we pay.
    case outgoing(OutgoingState)
    /// Counts of a channel.
    case totals(channelID: Bytes32, Totals)
    /// A request is about to be sent.
    case submission(Submission)
    /// A request was answered.
    case answered(nonce: UInt64)
    /// A small value under a name: nonce, position in the event log, identity of the ledger.
    case value(name: String, [UInt8])
}

/// Everything a node finds when it starts.
public struct StoredState: Equatable, Sendable {
    /// Claims not final, in key order.
    public var openClaims: [Claim] = []
    /// Channels that pay us.
    public var incoming: [IncomingState] = []
    /// Channels through which we pay.
    public var outgoing: [OutgoingState] = []
    /// Counts by channel.
    public var totals: [Bytes32: Totals] = [:]
    /// Requests sent and not answered, by nonce.
    public var submissions: [Submission] = []
    /// Small values by name.
    public var values: [String: [UInt8]] = [:]

    /// Nothing stored.
    public init() {}
}

/// Where a node keeps its claims and channels.
public protocol ClaimStore: AnyObject, Sendable {
    /// All that a start needs.
    func load() throws(StoreError) -> StoredState
    /// Makes all changes or none; on disk when it returns.
    func commit(_ changes: [Change]) throws(StoreError)
    /// Claims in key order, from the first after `after` on.
    func claims(after: ClaimKey?, limit: Int) throws(StoreError) -> [Claim]
}

/// The node's store on LMDB.
public final class NodeStore: ClaimStore {
    /// Version of the records.
    public static let format: UInt32 = 1
    /// Most claims that one `prune` removes.
    private static let pruneMax = 4_096

    private let environment: Environment
    private let claims: Table
    private let incoming: Table
    private let outgoing: Table
    private let totals: Table
    private let submissions: Table
    private let values: Table

    /// Opens or creates the store in a folder that it holds alone.
    ///
    /// - Parameter checked: what `lastTransaction` was when another program closed it: if that was
    ///   the last one, records are not read through again.
    public init(
        folder: String,
        freeBytesMin: UInt64 = 16 << 20,
        checked: UInt64? = nil
    ) throws(StoreError) {
        environment = try Environment(
            folder: folder,
            kind: "node",
            format: Self.format,
            tables: ["claims", "incoming", "outgoing", "totals", "submissions", "values"],
            freeBytesMin: freeBytesMin,
            checked: checked
        )
        claims = environment.table("claims")
        incoming = environment.table("incoming")
        outgoing = environment.table("outgoing")
        totals = environment.table("totals")
        submissions = environment.table("submissions")
        values = environment.table("values")
    }

    /// Gives the data up, for another program to open; the folder stays locked.
    public func close() { environment.close() }

    /// Number of the last change.
    public var lastTransaction: UInt64 { environment.lastTransaction }

    /// All that a start needs; the claims that are final are skipped.
    public func load() throws(StoreError) -> StoredState {
        try environment.read { (transaction) throws(StoreError) in
            var state = StoredState()
            try all(transaction, claims, Claim.init(key:record:)) {
                if !$0.state.isFinal { state.openClaims.append($0) }
            }
            try all(transaction, incoming, IncomingState.init(key:record:)) {
                state.incoming.append($0)
            }
            try all(transaction, outgoing, OutgoingState.init(key:record:)) {
                state.outgoing.append($0)
            }
            try all(transaction, submissions, Submission.init(key:record:)) {
                state.submissions.append($0)
            }
            try transaction.scan(totals) { (key, record) throws(StoreError) in
                guard let id = Bytes32(key), let counts = Totals(record: record) else {
                    throw .corrupt(table: "totals", key: Hex.encode(key))
                }
                state.totals[id] = counts
                return true
            }
            try transaction.scan(values) { (key, record) throws(StoreError) in
                state.values[String(decoding: key, as: UTF8.self)] = record
                return true
            }
            return state
        }
    }

    /// Makes all changes in one transaction.
    public func commit(_ changes: [Change]) throws(StoreError) {
        guard !changes.isEmpty else { return }
        try environment.write { (transaction) throws(StoreError) in
            for change in changes { try apply(change, transaction) }
        }
    }

    /// Claims in key order.
    public func claims(after: ClaimKey?, limit: Int) throws(StoreError) -> [Claim] {
        let start = after.map { $0.bytes + [0] } ?? []
        return try environment.read { (transaction) throws(StoreError) in
            var found: [Claim] = []
            guard limit > 0 else { return found }
            try transaction.scan(claims, from: start) { (key, record) throws(StoreError) in
                found.append(try Self.parse(claims, key, record, Claim.init(key:record:)))
                return found.count < limit
            }
            return found
        }
    }

    private func apply(
        _ change: Change,
        _ transaction: borrowing Transaction
    ) throws(StoreError) {
        switch change {
        case .claim(let claim): try transaction.put(claims, claim.key.bytes, claim.record)
        case .prune(let below): try prune(below, transaction)
        case .incoming(let state):
            try transaction.put(incoming, state.channelID.array, state.record)
        case .outgoing(let state):
            try transaction.put(outgoing, state.channelID.array, state.record)
        case .totals(let id, let counts): try transaction.put(totals, id.array, counts.record)
        case .submission(let submission):
            try transaction.put(submissions, Self.key(submission.nonce), submission.record)
        case .answered(let nonce): try transaction.delete(submissions, Self.key(nonce))
        case .value(let name, let bytes): try transaction.put(values, Array(name.utf8), bytes)
        }
    }

    private func prune(
        _ below: ClaimKey,
        _ transaction: borrowing Transaction
    ) throws(StoreError) {
        var old: [[UInt8]] = []
        let start = ClaimKey(channelID: below.channelID, channelEpoch: 0, index: 0)
        try transaction.scan(claims, from: start.bytes) { (key, record) throws(StoreError) in
            let claim = try Self.parse(claims, key, record, Claim.init(key:record:))
            guard claim.key < below else { return false }
            if claim.state.isFinal { old.append(key) }
            return old.count < Self.pruneMax
        }
        for key in old { try transaction.delete(claims, key) }
    }

    private func all<Value>(
        _ transaction: borrowing Transaction,
        _ table: Table,
        _ make: ([UInt8], [UInt8]) -> Value?,
        _ body: (Value) -> Void
    ) throws(StoreError) {
        try transaction.scan(table) { (key, record) throws(StoreError) in
            body(try Self.parse(table, key, record, make))
            return true
        }
    }

    private static func parse<Value>(
        _ table: Table,
        _ key: [UInt8],
        _ record: [UInt8],
        _ make: ([UInt8], [UInt8]) -> Value?
    ) throws(StoreError) -> Value {
        guard let value = make(key, record) else {
            throw .corrupt(table: table.name, key: Hex.encode(key))
        }
        return value
    }

    private static func key(_ nonce: UInt64) -> [UInt8] {
        var writer = RecordWriter()
        writer.integer(nonce)
        return writer.bytes
    }
}
