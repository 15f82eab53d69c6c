public import Bytes
public import Datapath

/// What both sides of a link must agree on before they say anything: part of every handshake.
public struct LinkPrologue: Equatable, Sendable {
    /// The version of links that this build speaks.
    public static let protocolVersion: UInt32 = 1

    /// Bytes of a packet.
    public var packetBytes: Int
    /// Bytes of its payload.
    public var payloadBytes: Int
    /// The tickets' selector.
    public var selector: UInt32
    /// Domain separator of the settlement layer.
    public var domain: Bytes32
    var version = LinkPrologue.protocolVersion

    /// What is agreed on.
    public init(packetBytes: Int, payloadBytes: Int, selector: UInt32, domain: Bytes32) {
        self.packetBytes = packetBytes
        self.payloadBytes = payloadBytes
        self.selector = selector
        self.domain = domain
    }

    /// As handshakes take it: name, four numbers of four bytes, domain.
    var bytes: [UInt8] {
        var bytes = Array("dray link".utf8)
        for number in [version, UInt32(packetBytes), UInt32(payloadBytes), selector] {
            for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
        }
        return bytes + domain.array
    }
}

/// What a desk is made for.
public struct LinkConfig: Sendable {
    /// What both sides must have alike.
    public var prologue: LinkPrologue
    /// Sizes of datagrams, from the one that is tried first to the one that passes everywhere.
    public let sizes: [Int]
    /// A session is followed by another even if it carried nothing: a link that sends at a constant
    /// rate stays.
    public var keepsSessions = false

    /// Links of datagrams of `datagramBytes`, or less where they do not get through.
    public init(prologue: LinkPrologue, datagramBytes: Int = LinkLimits.datagramBytes) {
        precondition(
            (LinkLimits.datagramBytesMin...LinkLimits.datagramBytesMax).contains(datagramBytes)
        )
        self.prologue = prologue
        let others = [LinkLimits.datagramBytes, LinkLimits.datagramBytesMin]
        sizes = [datagramBytes] + others.filter { $0 < datagramBytes }
    }
}

/// A neighbour as the register has it.
public struct LinkPeer: Equatable, Sendable {
    /// Key id.
    public var keyID: UInt32
    /// Packet key, Ed25519.
    public var packetKey: Bytes32
    /// Where it is said to be; nil if it is known only when it calls.
    public var address: DatagramAddress?
    /// Longer datagrams are not tried; nil if nothing is known of the path.
    public var pathBytes: Int?

    /// A neighbour.
    public init(
        keyID: UInt32,
        packetKey: Bytes32,
        address: DatagramAddress?,
        pathBytes: Int? = nil
    ) {
        self.keyID = keyID
        self.packetKey = packetKey
        self.address = address
        self.pathBytes = pathBytes
    }
}

/// What an operator may want to know of links.
public enum LinkEvent: Equatable, Sendable {
    /// There is a session with the peer: where it is, bytes of a datagram.
    case up(keyID: UInt32, address: DatagramAddress?, datagramBytes: Int)
    /// There is none any more.
    case down(keyID: UInt32)
    /// The peer does not answer.
    case unreachable(keyID: UInt32, address: DatagramAddress?)
    /// Somebody who knows our key speaks another protocol version, packet or payload size or
    /// domain, or is not who it says (`linkPrologue`); the peer that is at the address, if any.
    case mismatch(address: DatagramAddress, keyID: UInt32?)
}

/// A datagram to send.
public struct LinkOutgoing: Equatable, Sendable {
    /// Where to.
    public let address: DatagramAddress
    /// Its length: the first bytes of the memory it was written to.
    public let byteCount: Int
}
