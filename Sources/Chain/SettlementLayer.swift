public import Bytes

/// Why a settlement layer did not answer.
public enum ChainError: Error, Equatable, Sendable {
    /// Nobody answers.
    case unreachable(String)
    /// The answer makes no sense.
    case protocolViolation(String)
    /// It was asked for something it does not know, or cannot do at all.
    case refused(Refusal)
}

extension ChainError: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .unreachable(let reason): "ledger: \(reason)"
        case .protocolViolation(let reason): "ledger: wrong answer: \(reason)"
        case .refused(let refusal): "ledger: \(refusal.code)"
        }
    }
}

/// A settlement layer's state at a glance.
public struct LedgerStatus: Hashable, Sendable {
    /// What it was made with.
    public var parameters: LedgerParameters
    /// Sequence of the last event.
    public var sequence: UInt64
    /// Its clock, milliseconds since 1970.
    public var millis: UInt64
    /// Money not given out.
    public var treasury: UInt128
    /// The sum of all balances, which equals the supply.
    public var total: UInt128
    /// How many accounts there are.
    public var accountCount: Int
    /// How many channels were ever opened.
    public var channelCount: Int
    /// How many packet keys were announced.
    public var nodeCount: Int

    /// A state.
    public init(
        parameters: LedgerParameters,
        sequence: UInt64,
        millis: UInt64,
        treasury: UInt128,
        total: UInt128,
        accountCount: Int,
        channelCount: Int,
        nodeCount: Int
    ) {
        self.parameters = parameters
        self.sequence = sequence
        self.millis = millis
        self.treasury = treasury
        self.total = total
        self.accountCount = accountCount
        self.channelCount = channelCount
        self.nodeCount = nodeCount
    }
}

/// What settles payments: the local ledger, later a real chain.
///
/// Calls block until there is an answer or a time limit is over; they may come from any thread.
public protocol SettlementLayer: Sendable {
    /// State at a glance.
    func status() throws(ChainError) -> LedgerStatus
    /// An account; nil if nobody has the address.
    func account(_ address: Address) throws(ChainError) -> Account?
    /// Accounts in order of address, from the first after `after` on; as many as fit an answer.
    func accounts(after: Address?) throws(ChainError) -> [Account]
    /// Channels in order of id, from the first after `after` on; as many as fit an answer.
    func channels(after: Bytes32?) throws(ChainError) -> [Channel]
    /// Packet keys in order of key id, from the first after `after` on; as many as fit an answer.
    func nodes(after: UInt32) throws(ChainError) -> [RegisteredNode]
    /// Events from the first after `sequence` on; as many as fit an answer.
    func events(since sequence: UInt64) throws(ChainError) -> [LedgerEvent]
    /// Carries out a signed request. Sending the same one again gives the same receipt.
    func submit(_ request: SignedRequest) throws(ChainError) -> Receipt
}

extension SettlementLayer {
    /// All accounts.
    public func allAccounts() throws(ChainError) -> [Account] {
        var all: [Account] = []
        while true {
            let page = try accounts(after: all.last?.address)
            if page.isEmpty { return all }
            all += page
        }
    }

    /// All channels.
    public func allChannels() throws(ChainError) -> [Channel] {
        var all: [Channel] = []
        while true {
            let page = try channels(after: all.last?.id)
            if page.isEmpty { return all }
            all += page
        }
    }
}
