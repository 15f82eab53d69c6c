internal import Bytes
internal import Crypto

/// The two MACs at the end of a handshake message, as WireGuard has them.
///
/// The first is keyed by the receiver's static key, which is public: it costs a stranger the
/// knowledge of whom he talks to. The second is keyed by a cookie that was sent to the address the
/// message claims to come from, and is asked for under load only.
enum LinkMac {
    static var bytes: Int { @_noLocks get { 16 } }

    /// `keys` (64 B) := the key of first MACs to the node with a static key, and the key that its
    /// cookies are sealed under.
    static func makeKeys(of publicKey: Region, into keys: Region) {
        for (place, label) in ["dray link mac", "dray link cookie"].enumerated() {
            var input = Array(label.utf8) + publicKey.array
            input.withRegion { Blake2b.hash($0, into: keys.slice(32 * place, 32)) }
        }
    }

    /// Where the first MAC of a handshake message stands; the second follows it. Nil for other
    /// types.
    @_noLocks
    static func offset(type: UInt32) -> Int? {
        switch type {
        case LinkWire.initiation: LinkWire.initiationMac
        case LinkWire.response: LinkWire.responseMac
        default: nil
        }
    }

    /// True if the first MAC is right.
    @_noLocks
    static func isRight(_ datagram: Region, at offset: Int, key: Region) -> Bool {
        matches(datagram, at: offset, key: key)
    }

    /// True if the second MAC is right under a cookie.
    @_noLocks
    static func isProven(_ datagram: Region, at offset: Int, cookie: Region) -> Bool {
        matches(datagram, at: offset + bytes, key: cookie)
    }

    @_noLocks
    private static func matches(_ datagram: Region, at offset: Int, key: Region) -> Bool {
        var room = Bytes16()
        return room.withRegion { room in
            Blake2b.hash(datagram.slice(0, offset), key: key, into: room)
            return constantTimeEqual(room, datagram.slice(offset, bytes))
        }
    }

    /// Writes both. Without a cookie what stands at the second's place stays: chance, so that
    /// nobody on the way sees which of the two it is.
    static func write(_ datagram: Region, at offset: Int, key: Region, cookie: Region?) {
        Blake2b.hash(datagram.slice(0, offset), key: key, into: datagram.slice(offset, bytes))
        let second = datagram.slice(offset + bytes, bytes)
        guard let cookie else { return }
        Blake2b.hash(datagram.slice(0, offset + bytes), key: cookie, into: second)
    }
}
