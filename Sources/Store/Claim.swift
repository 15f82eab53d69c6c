public import Bytes

/// Where a claim stands; `lost`, `settled` and `void` are final.
public enum ClaimState: UInt8, CaseIterable, Sendable {
    /// Its acknowledgement is still missing; never on disk.
    case locked
    /// It can be drawn.
    case unlocked
    /// It pays, and waits to be redeemed.
    case won
    /// It does not pay.
    case lost
    /// A redemption that contains it was signed.
    case submitted
    /// Paid.
    case settled
    /// Worthless, with a reason.
    case void

    /// True for states that never change again.
    public var isFinal: Bool {
        switch self {
        case .locked, .unlocked, .won, .submitted: false
        case .lost, .settled, .void: true
        }
    }
}

/// How a claim's luck is drawn.
public enum Scheme: UInt8, Sendable {
    /// A ticket under the commitment rule.
    case commitmentTicket = 1
    /// A ticket under the VRF rule.
    case vrfTicket = 2
}

/// What names a claim: no two tickets of one channel and epoch share an index.
public struct ClaimKey: Hashable, Comparable, Sendable {
    /// The channel the ticket was drawn on.
    public var channelID: Bytes32
    /// The channel's epoch.
    public var channelEpoch: UInt32
    /// The ticket's index.
    public var index: UInt64

    /// Names the claim.
    public init(channelID: Bytes32, channelEpoch: UInt32, index: UInt64) {
        self.channelID = channelID
        self.channelEpoch = channelEpoch
        self.index = index
    }

    /// By channel, then epoch, then index: the order on disk.
    public static func < (left: ClaimKey, right: ClaimKey) -> Bool {
        if left.channelID != right.channelID { return left.channelID < right.channelID }
        return (left.channelEpoch, left.index) < (right.channelEpoch, right.index)
    }
}

/// Anything that may turn into money: here, a ticket whose acknowledgement has come.
public struct Claim: Hashable, Sendable {
    /// The claim's name.
    public var key: ClaimKey
    /// How its luck is drawn.
    public var scheme: Scheme
    /// Where it stands.
    public var state: ClaimState
    /// Why it is void, else `.none`.
    public var reason: Drop
    /// The channel's ticket epoch when it was taken.
    public var ticketEpoch: UInt32
    /// What it pays if it wins.
    public var amount: UInt128
    /// The unit of `amount`; 0 is the settlement layer's own.
    public var currency: UInt32
    /// The ticket as received.
    public var ticket: FixedBytes<132>
    /// The proof of relay.
    public var response: Bytes32
    /// The opening it won with; nil before the draw, and under VRF.
    public var position: UInt32?
    /// When it was unlocked, milliseconds since 1970.
    public var unlockedMillis: UInt64
    /// The nonce of the redemption that contains it; 0 if none.
    public var nonce: UInt64

    /// A claim just unlocked.
    public init(
        key: ClaimKey,
        scheme: Scheme,
        ticketEpoch: UInt32,
        amount: UInt128,
        currency: UInt32 = 0,
        ticket: FixedBytes<132>,
        response: Bytes32,
        unlockedMillis: UInt64
    ) {
        self.key = key
        self.scheme = scheme
        state = .unlocked
        reason = .none
        self.ticketEpoch = ticketEpoch
        self.amount = amount
        self.currency = currency
        self.ticket = ticket
        self.response = response
        self.unlockedMillis = unlockedMillis
        nonce = 0
    }
}

/// What must survive about a channel that pays us.
public struct IncomingState: Hashable, Sendable {
    /// The channel.
    public var channelID: Bytes32
    /// Its epoch.
    public var channelEpoch: UInt32
    /// Who pays.
    public var source: Address
    /// Its ticket epoch.
    public var ticketEpoch: UInt32
    /// The lowest index not decided yet; tickets below come too late.
    public var floor: UInt64
    /// The commitment on chain is the value at this position of our chain of openings.
    public var chainPosition: UInt32
    /// The next winner takes the opening at `nextPosition - 1`.
    public var nextPosition: UInt32
    /// The commitment last seen on chain.
    public var commitment: Bytes32

    /// State of a channel in a new epoch.
    public init(
        channelID: Bytes32,
        channelEpoch: UInt32,
        source: Address,
        ticketEpoch: UInt32,
        floor: UInt64,
        position: UInt32,
        commitment: Bytes32
    ) {
        self.channelID = channelID
        self.channelEpoch = channelEpoch
        self.source = source
        self.ticketEpoch = ticketEpoch
        self.floor = floor
        chainPosition = position
        nextPosition = position
        self.commitment = commitment
    }
}

/// What must survive about a channel through which we pay.
public struct OutgoingState: Hashable, Sendable {
    /// The channel.
    public var channelID: Bytes32
    /// Its epoch.
    public var channelEpoch: UInt32
    /// Indices below may have been used; a restart goes on from here.
    public var indexLimit: UInt64

    /// State of a channel of ours.
    public init(channelID: Bytes32, channelEpoch: UInt32, indexLimit: UInt64) {
        self.channelID = channelID
        self.channelEpoch = channelEpoch
        self.indexLimit = indexLimit
    }
}

/// Counts of a channel since the store was made.
public struct Totals: Hashable, Sendable {
    /// Tickets whose acknowledgement came.
    public var received: UInt64 = 0
    /// Tickets that paid.
    public var won: UInt64 = 0
    /// Tickets that did not.
    public var lost: UInt64 = 0
    /// Tickets paid out by the settlement layer.
    public var redeemed: UInt64 = 0
    /// Sum of the winners' amounts.
    public var wonValue: UInt128 = 0
    /// Sum of what was paid out.
    public var redeemedValue: UInt128 = 0
    /// Worthless tickets by reason.
    public var void: [Drop: UInt64] = [:]

    /// All zero.
    public init() {}

    /// All worthless tickets.
    public var voidCount: UInt64 { void.values.reduce(0, +) }

    /// Adds another channel's counts.
    public mutating func add(_ other: Totals) {
        received += other.received
        won += other.won
        lost += other.lost
        redeemed += other.redeemed
        wonValue += other.wonValue
        redeemedValue += other.redeemedValue
        void.merge(other.void, uniquingKeysWith: +)
    }
}

/// A signed request on its way to the settlement layer: sent again, byte for byte, after a restart.
public struct Submission: Hashable, Sendable {
    /// The request's nonce.
    public var nonce: UInt64
    /// The request as it goes out.
    public var request: [UInt8]
    /// The claims it redeems, in index order; empty for other requests.
    public var claims: [ClaimKey]
    /// Last event known when it was made.
    public var sequence: UInt64

    /// A request about to be sent.
    public init(nonce: UInt64, request: [UInt8], claims: [ClaimKey], sequence: UInt64) {
        self.nonce = nonce
        self.request = request
        self.claims = claims
        self.sequence = sequence
    }
}
