public import Bytes
internal import Exchange
internal import Crypto
internal import Tickets

/// The settlement layer's rules over its state, in memory: no clock, no disk, no socket.
///
/// Every change goes through `setAccount`, `setChannel` and `setNode`, which remember what was
/// there before: a request that is refused half-way leaves no trace, and after each request the
/// money that moved must add up to nothing.
public struct Ledger: Sendable {
    /// What it was made with.
    public let parameters: LedgerParameters
    /// The domain separator of tickets and requests.
    public let domain: Bytes32
    /// Money not given out yet.
    public internal(set) var treasury: UInt128
    /// Accounts by address.
    public internal(set) var accounts: [Address: Account] = [:]
    /// Channels by id.
    public internal(set) var channels: [Bytes32: Channel] = [:]
    /// Packet keys; `nodes[i]` has key id i + 1.
    public internal(set) var nodes: [RegisteredNode] = []
    /// Sequence of the last event.
    public internal(set) var sequence: UInt64 = 0
    /// Time of the last change; time never goes back.
    public internal(set) var lastMillis: UInt64 = 0

    var keyIDs: [Bytes32: UInt32] = [:]
    var keysOfAddress: [Address: [UInt32]] = [:]
    var undo = Undo()
    var events: [LedgerEvent] = []

    /// Most accounts, channels and packet keys, each.
    public static let recordsMax = 1 << 20

    /// A new ledger: the supply is split among the accounts named, the rest is the treasury.
    public init?(_ parameters: LedgerParameters, genesis: [(Address, UInt128)] = []) {
        guard parameters.supply < 1 << 127 else { return nil }
        self.parameters = parameters
        domain = parameters.domain
        treasury = parameters.supply
        for (address, amount) in genesis {
            guard amount <= treasury else { return nil }
            treasury -= amount
            accounts[address, default: Account(address: address, balance: 0)].balance += amount
        }
    }

    /// The sum of all balances.
    public var total: UInt128 {
        var sum = treasury
        for account in accounts.values { sum += account.balance }
        for channel in channels.values { sum += channel.balance }
        return sum
    }

    /// The channel between two addresses, as it would be if it was never funded.
    public func channel(from source: Address, to destination: Address) -> Channel {
        let id = TicketDomain.channelID(source: source, destination: destination)
        return channels[id] ?? Channel(id: id, source: source, destination: destination)
    }

    /// What one request changed.
    public struct Outcome: Sendable {
        /// What it was answered.
        public var receipt: Receipt
        /// True if the answer was given before: nothing changed.
        public var isRepeated = false
        /// Accounts as they are now.
        public var accounts: [Account] = []
        /// Channels as they are now.
        public var channels: [Channel] = []
        /// Packet keys as they are now.
        public var nodes: [RegisteredNode] = []
        /// New events.
        public var events: [LedgerEvent] = []
    }

    /// Does what a signed request asks, or refuses it.
    ///
    /// A request that is not its account's leaves no trace. One that is, and breaks a rule, uses up
    /// its nonce: so it can never be carried out later, and asking again gives the same answer.
    public mutating func apply(_ signed: SignedRequest, nowMillis: UInt64) -> Outcome {
        guard let request = LedgerRequest(bytes: signed.bytes) else {
            return refuse(0, .malformed)
        }
        let digest = request.digest(domain: domain)
        guard Secp256k1.signer(hash: digest, signature: signed.signature) == request.from else {
            return refuse(request.nonce, .signature)
        }
        if let account = accounts[request.from], request.nonce <= account.nonce {
            guard account.nonce == request.nonce, account.digest == digest,
                let receipt = account.receipt
            else { return refuse(request.nonce, .nonceUsed) }
            return Outcome(receipt: receipt, isRepeated: true)
        }
        lastMillis = max(lastMillis, nowMillis)
        undo = Undo(sequence: sequence, treasury: treasury)
        events = []
        var receipt = Receipt(nonce: request.nonce, sequence: sequence)
        do throws(Refusal) {
            try perform(request, &receipt)
            guard moneyIsConserved else { throw .invariant }
        } catch {
            rollback()
            receipt = Receipt(nonce: request.nonce, refusal: error, sequence: sequence)
        }
        return finish(request, digest, receipt)
    }

    private func refuse(_ nonce: UInt64, _ refusal: Refusal) -> Outcome {
        Outcome(receipt: Receipt(nonce: nonce, refusal: refusal, sequence: sequence))
    }

    private mutating func finish(
        _ request: LedgerRequest,
        _ digest: Bytes32,
        _ receipt: Receipt
    ) -> Outcome {
        var receipt = receipt
        receipt.sequence = sequence
        // Only accounts that exist can use up a nonce: strangers cannot fill the ledger.
        guard var account = accounts[request.from] else { return Outcome(receipt: receipt) }
        account.nonce = request.nonce
        account.digest = digest
        account.receipt = receipt
        setAccount(account)
        var outcome = Outcome(receipt: receipt)
        outcome.accounts = undo.accounts.keys.sorted().compactMap { accounts[$0] }
        outcome.channels = undo.channels.keys.sorted().compactMap { channels[$0] }
        outcome.nodes = undo.nodes.keys.sorted().map { nodes[Int($0) - 1] }
        outcome.events = events
        return outcome
    }

    private mutating func perform(
        _ request: LedgerRequest,
        _ receipt: inout Receipt
    ) throws(Refusal) {
        switch request.action {
        case .announce(let key, let endpoint, let signature):
            receipt.keyID = try announce(request, key, endpoint, signature)
        case .transfer(let to, let amount):
            try transfer(from: request.from, to: to, amount)
        case .fund(let destination, let amount):
            try fund(from: request.from, to: destination, amount)
        case .commit(let source, let commitment):
            try commit(source: source, destination: request.from, commitment)
        case .notice(let destination): try notice(from: request.from, to: destination)
        case .close(let destination): try close(from: request.from, to: destination)
        case .redeem(let source, let tickets):
            try redeem(source: source, destination: request.from, tickets, &receipt)
        }
    }
}

// MARK: Changes

/// What records were before a request touched them.
struct Undo: Sendable {
    var sequence: UInt64 = 0
    var treasury: UInt128 = 0
    var accounts: [Address: Account?] = [:]
    var channels: [Bytes32: Channel?] = [:]
    var nodes: [UInt32: RegisteredNode?] = [:]
}

extension Ledger {
    mutating func setAccount(_ account: Account) {
        if undo.accounts[account.address] == nil {
            undo.accounts.updateValue(accounts[account.address], forKey: account.address)
        }
        accounts[account.address] = account
    }

    mutating func setChannel(_ channel: Channel) {
        if undo.channels[channel.id] == nil {
            undo.channels.updateValue(channels[channel.id], forKey: channel.id)
        }
        channels[channel.id] = channel
    }

    mutating func setNode(_ node: RegisteredNode) {
        let place = Int(node.keyID) - 1
        if undo.nodes[node.keyID] == nil {
            undo.nodes.updateValue(
                place < nodes.count ? nodes[place] : nil,
                forKey: node.keyID
            )
        }
        if place < nodes.count {
            nodes[place] = node
        } else {
            nodes.append(node)
            keyIDs[node.packetKey] = node.keyID
            keysOfAddress[node.chainAddress, default: []].append(node.keyID)
        }
    }

    mutating func emit(_ kind: LedgerEvent.Kind) {
        sequence += 1
        events.append(LedgerEvent(sequence: sequence, millis: lastMillis, kind: kind))
    }

    /// An existing account, or the refusal.
    func account(_ address: Address) throws(Refusal) -> Account {
        guard let account = accounts[address] else { throw .accountUnknown }
        return account
    }

    mutating func debit(_ address: Address, _ amount: UInt128) throws(Refusal) {
        var account = try account(address)
        guard account.balance >= amount else { throw .balance }
        account.balance -= amount
        setAccount(account)
    }

    mutating func credit(_ address: Address, _ amount: UInt128) throws(Refusal) {
        if accounts[address] == nil, accounts.count >= Self.recordsMax { throw .ledgerFull }
        var account = accounts[address] ?? Account(address: address, balance: 0)
        account.balance += amount
        setAccount(account)
    }

    private var moneyIsConserved: Bool {
        var before = undo.treasury
        var after = treasury
        for (address, old) in undo.accounts {
            before += old?.balance ?? 0
            after += accounts[address]?.balance ?? 0
        }
        for (id, old) in undo.channels {
            before += old?.balance ?? 0
            after += channels[id]?.balance ?? 0
        }
        return before == after
    }

    private mutating func rollback() {
        for (address, old) in undo.accounts { accounts[address] = old }
        for (id, old) in undo.channels { channels[id] = old }
        for (keyID, old) in undo.nodes.sorted(by: { $0.key > $1.key }) {
            if let old {
                nodes[Int(keyID) - 1] = old
            } else {
                let node = nodes.removeLast()
                keyIDs[node.packetKey] = nil
                keysOfAddress[node.chainAddress]?.removeAll { $0 == keyID }
            }
        }
        treasury = undo.treasury
        sequence = undo.sequence
        undo = Undo(sequence: sequence, treasury: treasury)
        events = []
    }
}
