public import Bytes
internal import Crypto

/// The draw that decides a ticket: 56 bits, compared by `WinProbability.wins`.
///
///     luck = first 7 bytes of Keccak(ticket hash 32 ‖ decider ‖ response 32 ‖ signature 64)
///
/// The decider is the opening (32) under the commitment rule, V (x ‖ y, 64) under the VRF rule. The
/// signature is inside because of a sender who runs one of the relays: it chooses that relay's
/// response and foresees the ticket that the honest node before it will write, so it could try
/// responses until that ticket wins. What it cannot foresee is the honest node's signature.
public enum Luck {
    /// Under the commitment rule.
    @_noLocks
    public static func commitment(
        hash: Bytes32,
        opening: Bytes32,
        response: Bytes32,
        signature: Bytes64
    ) -> UInt64 {
        var bytes = FixedBytes<160>()
        return bytes.withRegion { bytes in
            bytes.store(hash, 0)
            bytes.store(opening, 32)
            bytes.store(response, 64)
            bytes.store(signature, 96)
            return draw(bytes)
        }
    }

    /// Under the VRF rule.
    @_noLocks
    public static func vrf(
        hash: Bytes32,
        value: Bytes64,
        response: Bytes32,
        signature: Bytes64
    ) -> UInt64 {
        var bytes = FixedBytes<192>()
        return bytes.withRegion { bytes in
            bytes.store(hash, 0)
            bytes.store(value, 32)
            bytes.store(response, 96)
            bytes.store(signature, 128)
            return draw(bytes)
        }
    }

    @_noLocks
    private static func draw(_ bytes: Region) -> UInt64 {
        var digest = Bytes32()
        return digest.withRegion { digest in
            Hash.keccak256(bytes, into: digest)
            return digest.bigEndian(0, count: 7)
        }
    }
}
