public import Bytes
internal import Crypto

/// A single-use reply block: with it somebody who does not know the way back can send one packet.
public struct SURB: BitwiseCopyable, Sendable {
    /// Key id of the first node of the return path.
    public var firstKeyID: UInt32 = 0
    /// Alpha for that node.
    public var alpha = Bytes32()
    /// Header of the return path, reply flag set.
    public var header = SealedHeader()
    /// Key of the one encryption that the replier adds.
    public var senderKey = Bytes16()
    /// Proof-of-relay values of the return path.
    public var proofValues = ProofValues()

    /// All zero.
    @_noLocks
    public init() {}

    /// Reads a SURB; `bytes` is at least 363 long. What follows the known fields is ignored.
    @_noLocks
    public init(_ bytes: Region) {
        firstKeyID = UInt32(truncatingIfNeeded: bytes.bigEndian(0, count: 4))
        alpha = bytes.load(4)
        header.bytes = bytes.load(36)
        header.mac = bytes.load(277)
        senderKey = bytes.load(293)
        proofValues = bytes.load(309)
    }

    /// Writes the SURB over all of `bytes`; the reserved rest is zero.
    @_noLocks
    public func write(to bytes: Region) {
        bytes.fill(0)
        bytes.storeBigEndian(UInt64(firstKeyID), 0, count: 4)
        bytes.store(alpha, 4)
        bytes.store(header.bytes, 36)
        bytes.store(header.mac, 277)
        bytes.store(senderKey, 293)
        bytes.store(proofValues, 309)
    }
}

/// What a SURB's maker keeps to read the reply.
public struct ReplyOpener: BitwiseCopyable, Sendable {
    /// The SURB's own sender id.
    public var senderID = SenderID()
    /// Its sender key.
    public var senderKey = Bytes16()
    /// Nodes of the return path, ourselves included.
    public var count = 0
    /// Their secrets, first node first.
    public var secrets = [4 of Bytes32](repeating: Bytes32())

    /// Nothing kept.
    @_noLocks
    public init() {}
}

/// Sender ids of one message: the header's own, by which the first SURB goes too, then one for each
/// further SURB.
public enum SenderIDChain {
    /// The id after `previous`; `position` counts from 1.
    @_noLocks
    public static func next(_ previous: SenderID, position: UInt32) -> SenderID {
        var result = previous
        var input = FixedBytes<22>()
        var digest = FixedBytes<8>()
        input.withRegion { input in
            input.storeBigEndian(UInt64(position), 0, count: 4)
            input.store(previous, 4)
            digest.withRegion { Hash.blake3(input, into: $0) }
        }
        for index in 0..<8 { result[10 + index] = digest[index] }
        return result
    }
}
