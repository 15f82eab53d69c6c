public import Bytes
public import Tickets

/// A node as the packet path sees it.
public struct NodeRow: BitwiseCopyable, Sendable {
    /// Key id of the packet key.
    public var keyID: UInt32
    /// Slot of the channel from this node to us, or `Snapshot.none`.
    public var incoming: UInt32
    /// Slot of the channel from us to this node, or `Snapshot.none`.
    public var outgoing: UInt32
    /// Another row of the same node, while its packet key changes; or `Snapshot.none`.
    public var alias: UInt32
    /// Place of the packet key's table, or `Snapshot.none`.
    public var verifier: UInt32
    /// Id of the channel from us to this node, whether it exists or not.
    public var outgoingID: Bytes32
    /// Ed25519 public key.
    public var packetKey: Bytes32
    /// Chain address.
    public var chainAddress: Address
    /// Where it receives.
    public var endpoint: Endpoint

    /// A node without channels.
    public init(keyID: UInt32, packetKey: Bytes32, chainAddress: Address, endpoint: Endpoint) {
        self.keyID = keyID
        incoming = .max
        outgoing = .max
        alias = .max
        verifier = .max
        outgoingID = Bytes32()
        self.packetKey = packetKey
        self.chainAddress = chainAddress
        self.endpoint = endpoint
    }
}

/// Which way a channel pays.
public enum ChannelDirection: UInt8, Sendable {
    /// The peer pays us.
    case incoming
    /// We pay the peer.
    case outgoing
}

/// Where a channel stands on its settlement layer.
public enum ChannelStatus: UInt8, Sendable {
    /// Closed, or never opened.
    case closed
    /// Funded; waits for the destination's commitment.
    case waitingForCommitment
    /// Open.
    case open
    /// The source has announced that it closes; tickets are still good.
    case pendingToClose
}

/// How luck is drawn in a channel.
public typealias LuckRule = Tickets.LuckRule

/// A channel as the packet path sees it.
public struct ChannelRow: BitwiseCopyable, Sendable {
    /// Money in the channel, seen on the settlement layer.
    public var balance: UInt128
    /// Keccak-256 of source and destination.
    public var channelID: Bytes32
    /// Domain separator of its tickets: dst, or dst' with the ticket epoch under commitments.
    public var domain: Bytes32
    /// The other end's chain address.
    public var peer: Address
    /// Epoch inside tickets, 24 bits.
    public var channelEpoch: UInt32
    /// Counts commitments; not inside tickets but in `domain`.
    public var ticketEpoch: UInt32
    /// Place of the table of the peer's chain key, or `Snapshot.none`.
    public var signer: UInt32
    /// `ChannelStatus` as a number.
    public var statusValue: UInt8
    /// `LuckRule` as a number.
    public var ruleValue: UInt8
    /// `ChannelDirection` as a number.
    public var directionValue: UInt8
    /// 1 if the slot is in use.
    public var used: UInt8

    /// A channel.
    public init(
        direction: ChannelDirection,
        peer: Address,
        channelID: Bytes32,
        domain: Bytes32,
        channelEpoch: UInt32,
        ticketEpoch: UInt32,
        status: ChannelStatus,
        rule: LuckRule,
        balance: UInt128
    ) {
        self.balance = balance
        self.channelID = channelID
        self.domain = domain
        self.peer = peer
        self.channelEpoch = channelEpoch
        self.ticketEpoch = ticketEpoch
        signer = .max
        statusValue = status.rawValue
        ruleValue = rule.rawValue
        directionValue = direction.rawValue
        used = 1
    }

    /// Tickets in it can be redeemed: open, or about to close.
    @inlinable public var redeemable: Bool {
        @_noLocks
        get { used == 1 && (statusValue == 2 || statusValue == 3) }
    }

    /// New tickets may be issued in it.
    @inlinable public var open: Bool {
        @_noLocks
        get { used == 1 && statusValue == 2 }
    }
}

/// A packet key of ours, secret parts included.
public struct PacketIdentity: BitwiseCopyable, Sendable {
    /// Key id on the register.
    public var keyID: UInt32
    /// Ed25519 public key.
    public var publicKey: Bytes32
    /// Sphinx scalar, reduced.
    public var scalar: Bytes32
    /// Ed25519 secret key: seed ‖ public key.
    public var secretKey: Bytes64

    /// A packet key.
    public init(keyID: UInt32, publicKey: Bytes32, scalar: Bytes32, secretKey: Bytes64) {
        self.keyID = keyID
        self.publicKey = publicKey
        self.scalar = scalar
        self.secretKey = secretKey
    }
}

/// What the relay asks for and pays.
public struct Policy: BitwiseCopyable, Sendable {
    /// Price of one hop.
    public var price: UInt128
    /// Smallest amount of an incoming ticket.
    public var minimumAmount: UInt128
    /// Winning probability of our own tickets.
    public var winProbability: WinProbability
    /// Smallest winning probability taken.
    public var winProbabilityLeast: WinProbability

    /// Always-winning tickets at one price.
    public init(
        price: UInt128,
        minimumAmount: UInt128 = 0,
        winProbability: WinProbability = .always,
        winProbabilityLeast: WinProbability = .never
    ) {
        self.price = price
        self.minimumAmount = minimumAmount
        self.winProbability = winProbability
        self.winProbabilityLeast = winProbabilityLeast
    }
}
