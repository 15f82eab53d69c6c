public import Bytes

/// What a frame carries.
///
/// A type that is not here is skipped and counted, so that a later version may have more.
public enum FrameType: CaseIterable, Sendable {
    /// A packet: exactly as long as the profile's.
    case packet
    /// Acknowledgements of packets, their count before them.
    case acknowledgements
    /// Asks for a pong: 8 to 64 bytes of the sender's choice.
    case ping
    /// The answer: the bytes of the ping.
    case pong
    /// What a scheme of payment asks for.
    case paymentTerms
    /// Conditional payments.
    case locks
    /// What opens them.
    case secrets
    /// Signed promises to pay.
    case promises
    /// A part of an event log.
    case logSegment

    /// The first byte of the frame.
    public var number: UInt8 {
        @_noLocks
        get {
            switch self {
            case .packet: 1
            case .acknowledgements: 2
            case .ping: 3
            case .pong: 4
            case .paymentTerms: 16
            case .locks: 17
            case .secrets: 18
            case .promises: 19
            case .logSegment: 20
            }
        }
    }

    /// The type with this number; nil for one that is not known, and for padding.
    @_noLocks
    public init?(number: UInt8) {
        switch number {
        case 1: self = .packet
        case 2: self = .acknowledgements
        case 3: self = .ping
        case 4: self = .pong
        case 16: self = .paymentTerms
        case 17: self = .locks
        case 18: self = .secrets
        case 19: self = .promises
        case 20: self = .logSegment
        default: return nil
        }
    }

    /// True if a type has this number.
    @_noLocks
    static func isKnown(_ number: UInt8) -> Bool {
        guard case .some = FrameType(number: number) else { return false }
        return true
    }

    /// True if a frame of this type, known or not, may have so long a body.
    @_noLocks
    static func allows(_ number: UInt8, bodyBytes: Int, packetBytes: Int) -> Bool {
        switch FrameType(number: number) {
        case .packet: bodyBytes == packetBytes
        case .ping, .pong: bodyBytes >= 8 && bodyBytes <= 64
        case .acknowledgements, .paymentTerms, .locks, .secrets, .promises, .logSegment, nil:
            bodyBytes <= FrameWire.bodyBytesMax
        }
    }
}

/// One frame that arrived.
public struct Frame {
    /// What it carries.
    public let type: FrameType
    /// Its body, as it lies: no alignment.
    public let body: Region

    @_noLocks
    init(type: FrameType, body: Region) {
        self.type = type
        self.body = body
    }
}

/// Where everything stands in the plaintext of a datagram; numbers are little-endian.
///
/// `left u16 ‖ back u8 ‖ 0 ‖ frames`: if the frames begin with the rest of one from an earlier
/// datagram, `left` is how many of its bytes are still to come, those here included, and `back` how
/// many datagrams ago it began; else both are 0. So the end of that rest is known whether or not
/// the datagrams before it came, and a lost datagram costs only the frames with bytes in it.
enum FrameWire {
    static var left: Int { @_noLocks get { 0 } }
    static var back: Int { @_noLocks get { 2 } }
    static var zero: Int { @_noLocks get { 3 } }
    /// Frames begin there.
    static var frames: Int { @_noLocks get { 4 } }

    /// Type and body length of a frame; not split.
    static var headBytes: Int { @_noLocks get { 3 } }
    /// The head, and a byte of the body if it has any, lie in one datagram. What is shorter is
    /// padding.
    static var firstBytesMin: Int { @_noLocks get { headBytes + 1 } }
    /// Body of every frame but packets.
    static var bodyBytesMax: Int { @_noLocks get { 4_096 } }
    /// Head and body of any frame: `left` is 16 bits.
    static var frameBytesMax: Int { @_noLocks get { 65_535 } }
    /// The type of what fills up a datagram.
    static var padding: UInt8 { @_noLocks get { 0 } }

    /// Bytes in clear before the plaintext.
    static var clearBytes: Int { @_noLocks get { 16 } }
    /// Bytes in clear, and the tag behind the ciphertext.
    static var overheadBytes: Int { @_noLocks get { 32 } }
    static var datagramBytesMin: Int { @_noLocks get { 1_232 } }
    static var datagramBytesMax: Int { @_noLocks get { 65_000 } }
    /// Datagrams of a train.
    static var trainMax: Int { @_noLocks get { 44 } }
}
