public import Bytes
public import Store

/// Why a ledger cannot be used.
public enum LedgerError: Error, Equatable, Sendable {
    /// Its folder.
    case store(StoreError)
    /// The folder holds a ledger made with other parameters.
    case otherLedger(folder: String)
    /// The parameters make no ledger: accounts ask for more than the supply, or it is 2^127 or
    /// more.
    case parameters
    /// The balances do not add up to the supply.
    case sum(found: UInt128, expected: UInt128)
}

extension LedgerError: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .store(let error): "\(error)"
        case .otherLedger(let folder): "\(folder) holds a ledger with another chain id or address"
        case .parameters: "the accounts ask for more than the supply"
        case .sum(let found, let expected):
            "corrupt ledger: balances add up to \(found), not \(expected)"
        }
    }
}

/// A ledger and its folder: what a request changes is on disk before it is answered.
public final class LedgerStore {
    /// Version of the records.
    public static let format: UInt32 = 1

    /// The ledger as it is on disk.
    public private(set) var ledger: Ledger
    private let environment: Environment
    private let accounts: Table
    private let channels: Table
    private let nodes: Table
    private let events: Table
    private let values: Table

    /// Opens the ledger in a folder, or makes it.
    public init(
        folder: String,
        parameters: LedgerParameters,
        genesis: [(Address, UInt128)] = []
    ) throws(LedgerError) {
        do throws(StoreError) {
            environment = try Environment(
                folder: folder,
                kind: "ledger",
                format: Self.format,
                tables: ["accounts", "channels", "nodes", "events", "values"]
            )
        } catch {
            throw .store(error)
        }
        accounts = environment.table("accounts")
        channels = environment.table("channels")
        nodes = environment.table("nodes")
        events = environment.table("events")
        values = environment.table("values")
        guard let fresh = Ledger(parameters, genesis: genesis) else { throw .parameters }
        ledger = fresh
        do throws(StoreError) {
            if let found = try loadParameters() {
                ledger = try load(found)
            } else {
                try create()
            }
        } catch {
            throw .store(error)
        }
        let made = ledger.parameters
        guard made.chainID == parameters.chainID, made.contract == parameters.contract else {
            throw .otherLedger(folder: folder)
        }
        guard ledger.total == ledger.parameters.supply else {
            throw .sum(found: ledger.total, expected: ledger.parameters.supply)
        }
    }

    /// Carries out a request and makes its changes durable. If that fails, the ledger must not be
    /// used any more: what counts is what the next start finds.
    public func apply(
        _ request: SignedRequest,
        nowMillis: UInt64
    ) throws(StoreError) -> Receipt {
        let outcome = ledger.apply(request, nowMillis: nowMillis)
        guard !outcome.accounts.isEmpty else { return outcome.receipt }
        let treasury = ledger.treasury
        let head = (ledger.sequence, ledger.lastMillis)
        try environment.write { (transaction) throws(StoreError) in
            for account in outcome.accounts {
                try transaction.put(accounts, account.address.array, account.record)
            }
            for channel in outcome.channels {
                try transaction.put(channels, channel.id.array, channel.record)
            }
            for node in outcome.nodes {
                try transaction.put(nodes, Self.key(UInt64(node.keyID)), node.record)
            }
            for event in outcome.events {
                try transaction.put(events, Self.key(event.sequence), event.record)
            }
            try putHead(transaction, treasury: treasury, sequence: head.0, millis: head.1)
        }
        return outcome.receipt
    }

    /// Events from the first after `sequence` on.
    public func events(since sequence: UInt64, limit: Int) throws(StoreError) -> [LedgerEvent] {
        guard limit > 0, sequence < .max else { return [] }
        return try environment.read { (transaction) throws(StoreError) in
            var found: [LedgerEvent] = []
            try transaction.scan(events, from: Self.key(sequence + 1)) {
                (key, record) throws(StoreError) in
                found.append(try Self.parse(events, key, LedgerEvent(record: record)))
                return found.count < limit
            }
            return found
        }
    }

    // MARK: Loading

    private func loadParameters() throws(StoreError) -> LedgerParameters? {
        let key = Array("parameters".utf8)
        return try environment.read { (transaction) throws(StoreError) -> LedgerParameters? in
            guard let record = try transaction.get(values, key) else { return nil }
            return try Self.parse(values, key, LedgerParameters(record: record))
        }
    }

    private func load(_ parameters: LedgerParameters) throws(StoreError) -> Ledger {
        guard var loaded = Ledger(parameters) else {
            throw .corrupt(table: "values", key: "parameters")
        }
        try environment.read { (transaction) throws(StoreError) in
            try transaction.scan(accounts) { (key, record) throws(StoreError) in
                let account = try Self.parse(accounts, key, Account(record: record))
                loaded.accounts[account.address] = account
                return true
            }
            try transaction.scan(channels) { (key, record) throws(StoreError) in
                let channel = try Self.parse(channels, key, Channel(record: record))
                loaded.channels[channel.id] = channel
                return true
            }
            try transaction.scan(nodes) { (key, record) throws(StoreError) in
                let node = try Self.parse(nodes, key, RegisteredNode(record: record))
                guard Int(node.keyID) == loaded.nodes.count + 1 else {
                    throw .corrupt(table: "nodes", key: Hex.encode(key))
                }
                loaded.setNode(node)
                return true
            }
            guard let head = try transaction.get(values, Array("head".utf8)) else {
                throw .corrupt(table: "values", key: "head")
            }
            var reader = RecordReader(head)
            guard let treasury: UInt128 = reader.integer(), let sequence: UInt64 = reader.integer(),
                let millis: UInt64 = reader.integer()
            else { throw .corrupt(table: "values", key: "head") }
            loaded.treasury = treasury
            loaded.sequence = sequence
            loaded.lastMillis = millis
        }
        return loaded
    }

    private func create() throws(StoreError) {
        let ledger = ledger
        try environment.write { (transaction) throws(StoreError) in
            try transaction.put(
                values,
                Array("parameters".utf8),
                ledger.parameters.record
            )
            for account in ledger.accounts.values {
                try transaction.put(accounts, account.address.array, account.record)
            }
            try putHead(transaction, treasury: ledger.treasury, sequence: 0, millis: 0)
        }
    }

    private func putHead(
        _ transaction: borrowing Transaction,
        treasury: UInt128,
        sequence: UInt64,
        millis: UInt64
    ) throws(StoreError) {
        var writer = RecordWriter()
        writer.integer(treasury)
        writer.integer(sequence)
        writer.integer(millis)
        try transaction.put(values, Array("head".utf8), writer.bytes)
    }

    private static func key(_ number: UInt64) -> [UInt8] {
        var writer = RecordWriter()
        writer.integer(number)
        return writer.bytes
    }

    private static func parse<Value>(
        _ table: Table,
        _ key: [UInt8],
        _ value: Value?
    ) throws(StoreError) -> Value {
        guard let value else { throw .corrupt(table: table.name, key: Hex.encode(key)) }
        return value
    }
}
