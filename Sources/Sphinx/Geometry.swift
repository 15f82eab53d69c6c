/// Every size and offset of one packet profile.
///
/// Sizes that no profile changes are static; the payload block, the SURB size, the ticket selector
/// and one check vary between releases of the network.
public struct Geometry: Sendable, Equatable, BitwiseCopyable {
    /// Compressed group element.
    @inlinable public static var alphaBytes: Int { @_noLocks get { 32 } }
    /// Routing header.
    @inlinable public static var headerBytes: Int { @_noLocks get { 241 } }
    /// Header and what one layer shifts in: only while building and peeling.
    @inlinable public static var extendedHeaderBytes: Int {
        @_noLocks get { headerBytes + entryBytes }
    }
    /// Header MAC.
    @inlinable public static var macBytes: Int { @_noLocks get { 16 } }
    /// One relay's routing entry: prefix, next key id, next MAC, proof-of-relay string.
    @inlinable public static var entryBytes: Int {
        @_noLocks get { 1 + keyIDBytes + macBytes + proofStringBytes }
    }
    /// Key id, big-endian.
    @inlinable public static var keyIDBytes: Int { @_noLocks get { 4 } }
    /// Proof-of-relay string: ticket challenge and hint.
    @inlinable public static var proofStringBytes: Int { @_noLocks get { 20 + 33 } }
    /// Proof-of-relay values: path length, acknowledgement challenge, ticket challenge.
    @inlinable public static var proofValuesBytes: Int { @_noLocks get { 1 + 33 + 20 } }
    /// Most nodes of a path, destination included.
    @inlinable public static var nodesMax: Int { @_noLocks get { 4 } }
    /// Most relays of a path.
    @inlinable public static var relaysMax: Int { @_noLocks get { nodesMax - 1 } }
    /// One sender's name for one exchange.
    @inlinable public static var pseudonymBytes: Int { @_noLocks get { 10 } }
    /// Pseudonym and SURB id.
    @inlinable public static var senderIDBytes: Int { @_noLocks get { 18 } }
    /// Replay tag.
    @inlinable public static var tagBytes: Int { @_noLocks get { 16 } }
    /// Ticket.
    @inlinable public static var ticketBytes: Int { @_noLocks get { 132 } }
    /// Acknowledgement: half-key and signature.
    @inlinable public static var ackBytes: Int { @_noLocks get { 96 } }
    /// Most SURBs in one message.
    @inlinable public static var surbsMax: Int { @_noLocks get { 15 } }

    /// Where the header begins in a packet.
    @inlinable public static var headerOffset: Int { @_noLocks get { alphaBytes } }
    /// Where the header MAC begins.
    @inlinable public static var macOffset: Int { @_noLocks get { headerOffset + headerBytes } }
    /// Where the payload block begins.
    @inlinable public static var payloadOffset: Int { @_noLocks get { macOffset + macBytes } }

    /// Payload block P.
    public let payloadBytes: Int
    /// One SURB.
    public let surbBytes: Int
    /// First four bytes of the redeeming function's selector, part of every ticket hash.
    public let ticketSelector: UInt32
    /// True if a packet whose next alpha is the neutral element is dropped.
    public let refusesNeutralAlpha: Bool

    /// A profile. Traps unless the sizes fit one another.
    public init(
        payloadBytes: Int,
        surbBytes: Int,
        ticketSelector: UInt32,
        refusesNeutralAlpha: Bool
    ) {
        precondition(payloadBytes > 64 && payloadBytes <= 65_000)
        precondition(surbBytes == 395 || surbBytes == 401 || surbBytes == 402)
        self.payloadBytes = payloadBytes
        self.surbBytes = surbBytes
        self.ticketSelector = ticketSelector
        self.refusesNeutralAlpha = refusesNeutralAlpha
    }

    /// Today's network.
    public static let head = Geometry(
        payloadBytes: 1040,
        surbBytes: 395,
        ticketSelector: 0xeb13_eb11,
        refusesNeutralAlpha: true
    )
    /// Releases 3 and 4.
    public static let v4 = Geometry(
        payloadBytes: 1038,
        surbBytes: 395,
        ticketSelector: 0x65e3_fa72,
        refusesNeutralAlpha: false
    )
    /// Proposed: three times the payload.
    public static let mix13 = Geometry(
        payloadBytes: 3248,
        surbBytes: 402,
        ticketSelector: 0xeb13_eb11,
        refusesNeutralAlpha: true
    )

    /// Names of the profiles, in the order they are listed to users.
    public static let names = ["head", "v4", "mix13"]

    /// The profile of that name.
    public init?(named name: some StringProtocol) {
        switch name {
        case "head": self = .head
        case "v4": self = .v4
        case "mix13": self = .mix13
        default: return nil
        }
    }

    /// The same profile with another SURB size: 395, 401 or 402.
    public func with(surbBytes: Int) -> Geometry {
        Geometry(
            payloadBytes: payloadBytes,
            surbBytes: surbBytes,
            ticketSelector: ticketSelector,
            refusesNeutralAlpha: refusesNeutralAlpha
        )
    }

    /// Where the ticket begins in a packet.
    @inlinable
    public var ticketOffset: Int {
        @_noLocks
        get { Geometry.payloadOffset + payloadBytes }
    }

    /// A whole packet, ticket included.
    @inlinable
    public var packetBytes: Int {
        @_noLocks
        get { ticketOffset + Geometry.ticketBytes }
    }

    /// The longest message: flag byte and padding marker cost two bytes of the payload block.
    @inlinable
    public var messageBytesMax: Int {
        @_noLocks
        get { payloadBytes - 2 }
    }

    /// Most acknowledgements in one packet, after their u16 count.
    @inlinable
    public var ackCapacity: Int {
        @_noLocks
        get { (messageBytesMax - 2) / Geometry.ackBytes }
    }

    /// SURBs that fit beside `textBytes` of plain text.
    public func surbCapacity(textBytes: Int) -> Int {
        guard textBytes <= messageBytesMax else { return 0 }
        return min(Geometry.surbsMax, (messageBytesMax - textBytes) / surbBytes)
    }
}
