internal import Bytes

/// Where everything stands in a datagram of a link; numbers are little-endian.
enum LinkWire {
    // MARK: In clear

    /// Type and three zero bytes as one number.
    static var type: Int { @_noLocks get { 0 } }
    /// The index that the receiver gave the session; 0 in an initiation.
    static var receiver: Int { @_noLocks get { 4 } }
    /// Counter of the datagram; 0 in handshakes.
    static var counter: Int { @_noLocks get { 8 } }
    /// Bytes in clear.
    static var headBytes: Int { @_noLocks get { 16 } }

    static var initiation: UInt32 { @_noLocks get { 1 } }
    static var response: UInt32 { @_noLocks get { 2 } }
    static var cookieReply: UInt32 { @_noLocks get { 3 } }
    static var data: UInt32 { @_noLocks get { 4 } }

    // MARK: Handshakes

    // Everything behind the head but the MACs is a Noise message or padding.
    static var noise: Int { @_noLocks get { 16 } }

    /// Payload of an initiation: timestamp 12, index, datagram bytes, 12 to come.
    static var initiationPayloadBytes: Int { @_noLocks get { 32 } }
    static var timestamp: Int { @_noLocks get { 0 } }
    static var timestampBytes: Int { @_noLocks get { 12 } }
    static var initiationIndex: Int { @_noLocks get { 12 } }
    static var initiationSize: Int { @_noLocks get { 16 } }
    /// Both MACs of an initiation, behind its Noise message.
    static var initiationMac: Int { @_noLocks get { 144 } }
    static var initiationBytes: Int { @_noLocks get { 176 } }

    /// Payload of a response: index, datagram bytes, 8 to come.
    static var responsePayloadBytes: Int { @_noLocks get { 16 } }
    static var responseIndex: Int { @_noLocks get { 0 } }
    static var responseSize: Int { @_noLocks get { 4 } }
    static var responseMac: Int { @_noLocks get { 80 } }
    static var responseBytes: Int { @_noLocks get { 112 } }

    /// A cookie reply: nonce and sealed cookie. Its receiver index is the beginning of the first
    /// MAC that it answers, for that message's own index is sealed.
    static var cookieNonce: Int { @_noLocks get { 16 } }
    static var cookieSealed: Int { @_noLocks get { 40 } }
    static var cookieReplyBytes: Int { @_noLocks get { 72 } }

    // MARK: Data

    /// What a datagram has besides its plaintext: head and tag.
    static var overheadBytes: Int { @_noLocks get { 32 } }
    /// Frames begin there in the plaintext.
    static var frames: Int { @_noLocks get { 4 } }

    /// Writes the bytes in clear.
    @_noLocks
    static func writeHead(_ datagram: Region, type: UInt32, receiver: UInt32, counter: UInt64) {
        datagram.store(type.littleEndian, LinkWire.type)
        datagram.store(receiver.littleEndian, LinkWire.receiver)
        datagram.store(counter.littleEndian, LinkWire.counter)
    }

    /// A number of four bytes.
    @_noLocks
    static func number(_ bytes: Region, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: bytes.load(offset))
    }
}
