public import Bytes

/// One probabilistic payment, as it travels behind a packet. Its issuer is not in it: that is the
/// previous hop.
public struct Ticket: BitwiseCopyable, Sendable, Equatable {
    /// The recipient's chain address.
    public var counterparty = Address()
    /// What the ticket is worth if it wins; below `amountLimit`.
    public var amount: UInt128 = 0
    /// Number within the channel; 48 bits.
    public var index: UInt64 = 0
    /// The channel's epoch; 24 bits.
    public var channelEpoch: UInt32 = 0
    /// How likely it wins.
    public var winProbability = WinProbability.never
    /// Address of the point that the response must open.
    public var challenge = Address()
    /// r ‖ s, the parity of R in the top bit of s.
    public var signature = Bytes64()

    /// A ticket of zeros.
    @_noLocks
    public init() {}

    /// A ticket without a signature.
    @_noLocks
    public init(
        counterparty: Address,
        amount: UInt128,
        index: UInt64,
        channelEpoch: UInt32,
        winProbability: WinProbability,
        challenge: Address
    ) {
        self.counterparty = counterparty
        self.amount = amount
        self.index = index
        self.channelEpoch = channelEpoch
        self.winProbability = winProbability
        self.challenge = challenge
    }

    /// The ticket for a next hop that relays to nobody: worth nothing, signed like any other.
    @_noLocks
    public static func zeroHop(to counterparty: Address, challenge: Address) -> Ticket {
        Ticket(
            counterparty: counterparty,
            amount: 0,
            index: 0,
            channelEpoch: 0,
            winProbability: .never,
            challenge: challenge
        )
    }
}

// Sizes and bounds.
extension Ticket {
    /// Bytes on the wire.
    @inlinable public static var byteCount: Int { @_noLocks get { 132 } }
    /// Bytes before the signature.
    @inlinable public static var signatureOffset: Int { @_noLocks get { 68 } }
    /// Amounts stay below 10^25.
    @inlinable public static var amountLimit: UInt128 {
        @_noLocks get { UInt128(542_101) << 64 | UInt128(1_590_897_978_359_414_784) }
    }
    /// Indices stay below 2^48.
    @inlinable public static var indexLimit: UInt64 { @_noLocks get { 1 << 48 } }
    /// Channel epochs stay below 2^24.
    @inlinable public static var channelEpochLimit: UInt32 { @_noLocks get { 1 << 24 } }
}
