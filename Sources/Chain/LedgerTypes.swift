public import Bytes
public import Exchange
public import Tickets

/// What a ledger is made with; it never changes afterwards.
public struct LedgerParameters: Hashable, Sendable {
    /// Chain id of the domain separator.
    public var chainID: UInt64
    /// Contract address of the domain separator.
    public var contract: Address
    /// How luck is drawn in its channels.
    public var rule: LuckRule
    /// First four bytes of the hashed call, by the network's profile.
    public var selector: UInt32
    /// Time between notice and closing.
    public var noticeMillis: UInt64
    /// How long a replaced packet key is still served.
    public var keyGraceMillis: UInt64
    /// What a new account receives from the treasury when it first announces a node.
    public var grant: UInt128
    /// All money there is: treasury, accounts and channels.
    public var supply: UInt128

    /// The domain separator that its tickets and requests are bound to.
    public var domain: Bytes32 { TicketDomain.separator(chainID: chainID, contract: contract) }

    /// Parameters of a new ledger.
    public init(
        chainID: UInt64,
        contract: Address,
        rule: LuckRule = .commitment,
        selector: UInt32 = 0xeb13_eb11,
        noticeMillis: UInt64 = 60_000,
        keyGraceMillis: UInt64 = 600_000,
        grant: UInt128 = 0,
        supply: UInt128
    ) {
        self.chainID = chainID
        self.contract = contract
        self.rule = rule
        self.selector = selector
        self.noticeMillis = noticeMillis
        self.keyGraceMillis = keyGraceMillis
        self.grant = grant
        self.supply = supply
    }
}

/// A chain address with money and its last request.
public struct Account: Hashable, Sendable {
    /// The address.
    public var address: Address
    /// Money not in channels.
    public var balance: UInt128
    /// The highest nonce used.
    public var nonce: UInt64
    /// Digest of the request with that nonce.
    public var digest: Bytes32
    /// What that request was answered.
    public var receipt: Receipt?

    /// An account that has not asked for anything yet.
    public init(address: Address, balance: UInt128) {
        self.address = address
        self.balance = balance
        nonce = 0
        digest = Bytes32()
    }
}

/// A one-way payment channel.
public struct Channel: Hashable, Sendable {
    /// Keccak-256 of source ‖ destination.
    public var id: Bytes32
    /// Who pays.
    public var source: Address
    /// Who is paid.
    public var destination: Address
    /// Money left in it.
    public var balance: UInt128
    /// Counts the fundings of the closed channel; 24 bits on the wire.
    public var channelEpoch: UInt32
    /// Counts the commitments of the epoch.
    public var ticketEpoch: UInt32
    /// The next index that can be redeemed.
    public var ticketIndex: UInt64
    /// Where it stands.
    public var status: ChannelStatus
    /// When it may be closed, milliseconds since 1970; 0 unless closing.
    public var closesMillis: UInt64
    /// What the next opening must hash to; zero before the first commitment.
    public var commitment: Bytes32

    /// A channel that was never funded.
    public init(id: Bytes32, source: Address, destination: Address) {
        self.id = id
        self.source = source
        self.destination = destination
        balance = 0
        channelEpoch = 0
        ticketEpoch = 0
        ticketIndex = 0
        status = .closed
        closesMillis = 0
        commitment = Bytes32()
    }
}

/// One packet key of a node in the register.
public struct RegisteredNode: Hashable, Sendable {
    /// Given out in order, from 1.
    public var keyID: UInt32
    /// The packet key.
    public var packetKey: Bytes32
    /// The node's chain address.
    public var chainAddress: Address
    /// Where it receives packets.
    public var endpoint: Endpoint
    /// When it was first announced, milliseconds since 1970.
    public var announcedMillis: UInt64
    /// When it stops being valid; 0 while it is the node's current key.
    public var retiresMillis: UInt64

    /// A record of the register.
    public init(
        keyID: UInt32,
        packetKey: Bytes32,
        chainAddress: Address,
        endpoint: Endpoint,
        announcedMillis: UInt64,
        retiresMillis: UInt64 = 0
    ) {
        self.keyID = keyID
        self.packetKey = packetKey
        self.chainAddress = chainAddress
        self.endpoint = endpoint
        self.announcedMillis = announcedMillis
        self.retiresMillis = retiresMillis
    }

    /// True while packets for this key are to be accepted.
    public func isValid(nowMillis: UInt64) -> Bool {
        retiresMillis == 0 || nowMillis < retiresMillis
    }
}

/// What happened on the ledger. Events carry the records as they are afterwards, so applying one
/// twice does no harm.
public struct LedgerEvent: Hashable, Sendable {
    /// Place in the log, from 1, without gaps.
    public var sequence: UInt64
    /// When, milliseconds since 1970.
    public var millis: UInt64
    /// What.
    public var kind: Kind

    /// An event of the log.
    public init(sequence: UInt64, millis: UInt64, kind: Kind) {
        self.sequence = sequence
        self.millis = millis
        self.kind = kind
    }

    /// The kinds of events.
    public enum Kind: Hashable, Sendable {
        /// A packet key was announced, moved or replaced.
        case node(RegisteredNode)
        /// Money came into a channel.
        case funded(Channel, amount: UInt128)
        /// The destination committed: a new ticket epoch.
        case committed(Channel)
        /// The source gave notice.
        case noticed(Channel)
        /// The rest went back to the source.
        case closed(Channel, refund: UInt128)
        /// A ticket was paid to the destination.
        case redeemed(Channel, index: UInt64, amount: UInt128)
        /// Money went from account to account.
        case transferred(from: Address, to: Address, amount: UInt128)
    }

    /// The channel as it is after the event, if it was about one.
    public var channel: Channel? {
        switch kind {
        case .node, .transferred: nil
        case .funded(let channel, _), .committed(let channel), .noticed(let channel),
            .closed(let channel, _), .redeemed(let channel, _, _):
            channel
        }
    }
}

/// What a request was answered.
public struct Receipt: Hashable, Sendable {
    /// The request's nonce.
    public var nonce: UInt64
    /// Why nothing, or not everything, was done.
    public var refusal: Refusal?
    /// Tickets paid, counted from the first of the request.
    public var redeemed: UInt32
    /// The key id of an announcement, else 0.
    public var keyID: UInt32
    /// Sequence of the last event when the request was done.
    public var sequence: UInt64

    /// An answer.
    public init(
        nonce: UInt64,
        refusal: Refusal? = nil,
        redeemed: UInt32 = 0,
        keyID: UInt32 = 0,
        sequence: UInt64
    ) {
        self.nonce = nonce
        self.refusal = refusal
        self.redeemed = redeemed
        self.keyID = keyID
        self.sequence = sequence
    }
}
