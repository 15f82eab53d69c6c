public import Bytes
public import Chain
public import Crypto
public import Exchange
public import Store

/// How a node treats its channels.
public struct ChannelPolicy: Sendable {
    /// How long a ticket may wait for its acknowledgement.
    public var ackTTLNanos: UInt64 = 10_000_000_000
    /// How much longer control waits than the packet path before it gives a ticket up.
    public var slackNanos: UInt64 = 1_000_000_000
    /// Most tickets in one redemption.
    public var redeemTickets = 64
    /// Winners of a channel are redeemed when they are worth this much together, or when the
    /// channel closes, or when asked for.
    public var redeemValue: UInt128 = 0
    /// Commit to channels that others open to us.
    public var acceptChannels = true
    /// Outgoing indices reserved at a time.
    public var indexBlock: UInt64 = 1 << 16
    /// Final tickets kept for listings: those within this many indices of the newest.
    public var historyIndices: UInt64 = 1 << 20
    /// Time before a channel closes from which no tickets are taken, beside `ackTTLNanos`.
    public var closingMarginMillis: UInt64 = 5_000
    /// Pause before a refused redemption is tried again.
    public var retryNanos: UInt64 = 2_000_000_000

    /// The defaults.
    public init() {}
}

/// Two clocks, handed in.
public struct Moment: Sendable, Equatable {
    /// Monotonic, the clock of the packet path.
    public var nanos: UInt64
    /// Milliseconds since 1970.
    public var millis: UInt64

    /// A moment.
    public init(nanos: UInt64, millis: UInt64) {
        self.nanos = nanos
        self.millis = millis
    }
}

/// Who a node is on its settlement layer.
public struct ChannelIdentity: Sendable {
    /// Signs requests and tickets, opens commitments.
    public let key: ChainKey
    /// What the settlement layer was made with.
    public let parameters: LedgerParameters
    /// Its domain separator.
    public let domain: Bytes32

    /// An identity on one settlement layer.
    public init(key: ChainKey, parameters: LedgerParameters) {
        self.key = key
        self.parameters = parameters
        domain = parameters.domain
    }
}

/// What an operator may ask for.
public enum Operation: Sendable {
    /// Registers the packet key and the address it is reached at.
    case announce(PacketKey, Endpoint)
    /// Opens a channel, or adds money to it.
    case fund(destination: Address, amount: UInt128)
    /// Gives notice of closing.
    case notice(destination: Address)
    /// Closes after the notice period.
    case close(destination: Address)
    /// Commits anew to the openings of an incoming channel; voids its open tickets.
    case renew(source: Address)
    /// Gives money to another account.
    case transfer(to: Address, amount: UInt128)
}

/// Why an operation, or the start, failed.
public enum ChannelError: Error, Equatable, Sendable {
    /// The settlement layer refused.
    case refused(Refusal)
    /// The settlement layer does not answer.
    case chain(ChainError)
    /// The store.
    case store(StoreError)
    /// The store belongs to another settlement layer or another key.
    case otherLedger
    /// No answer in time; it may still be carried out.
    case timeout
    /// There are more channels than the books have slots.
    case slotsFull
    /// The node is stopping.
    case stopping
    /// A signature of ours did not verify; nothing was sent.
    case signing(SigningFault)
}

extension ChannelError: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .refused(let refusal): "refused: \(refusal.code)"
        case .chain(let error): "\(error)"
        case .store(let error): "\(error)"
        case .otherLedger: "the data folder belongs to another ledger or another chain key"
        case .timeout: "no answer in time"
        case .slotsFull: "more channels than configured"
        case .stopping: "the node is stopping"
        case .signing(let fault): "\(fault)"
        }
    }
}

/// A channel of ours, for listings.
public struct ChannelInfo: Sendable {
    /// The channel as the settlement layer has it.
    public var channel: Channel
    /// Which way it pays.
    public var direction: ChannelDirection
    /// Its slot in the books.
    public var slot: UInt32
    /// Tickets that wait for their draw.
    public var unlocked: Int
    /// Winners not paid yet.
    public var unsettled: Int
    /// Amount of winners not paid yet.
    public var unsettledValue: UInt128
    /// Lowest index not decided.
    public var floor: UInt64
    /// Openings left; 0 for outgoing channels and under VRF.
    public var openingsLeft: UInt32
    /// Why no tickets are taken; `.none` if they are.
    public var stopped: Drop
    /// Counts since the store was made.
    public var totals: Totals
}

/// Register and channels, as the packet path needs them.
public struct World: Sendable {
    /// Everybody but ourselves.
    public var nodes: [NodeRow] = []
    /// Channels by slot.
    public var channels: [UInt32: ChannelRow] = [:]
    /// Our packet keys that are valid now, the current one first.
    public var own: [RegisteredNode] = []

    /// Nobody.
    public init() {}
}

/// What the reducer is told.
enum Input: Sendable {
    case locked(slot: UInt32, index: UInt64, atNanos: UInt64)
    case unlocked(slot: UInt32, ticket: [UInt8], response: Bytes32, atNanos: UInt64)
    case released(slot: UInt32, index: UInt64, amount: UInt128, reason: Drop)
    /// Next index of an outgoing channel, as the books have it.
    case used(slot: UInt32, nextIndex: UInt64)
    case ledger(LedgerEvent)
    case receipt(Receipt)
    /// After `nonceUsed`: our nonce on the ledger, and the tickets it has paid since the request
    /// was made.
    case resynchronised(nonce: UInt64, paid: [ClaimKey])
    case operation(id: UInt64, Operation)
    case redeemAll
}

/// What must happen after the journal is on disk.
enum Effect: Sendable {
    case clear(slot: UInt32)
    case setNextIndex(slot: UInt32, UInt64)
    case raiseIndexLimit(slot: UInt32, UInt64)
    case raiseFloor(slot: UInt32, UInt64)
    case mark(slot: UInt32, UInt64)
    case release(slot: UInt32, amount: UInt128)
    case restore(slot: UInt32, amount: UInt128)
    case stop(slot: UInt32, Bool)
    case submit(Submission)
    case resynchronise(Submission)
    case finished(id: UInt64, Receipt)
    case unsigned(id: UInt64?, SigningFault)
    case publish
    case alarm(channelID: Bytes32, Drop)
}

extension Effect {
    /// The order in which effects of a turn are performed: slots are ready before the packet path
    /// hears of them, and it knows new balances before reservations are given back.
    var rank: Int {
        switch self {
        case .clear: 0
        case .setNextIndex: 1
        case .raiseIndexLimit: 2
        case .raiseFloor, .restore, .mark, .stop: 3
        case .publish: 4
        case .release, .submit, .resynchronise, .finished, .unsigned, .alarm: 5
        }
    }
}
