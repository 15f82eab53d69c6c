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
