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
        var opening = opening
        return opening.withRegion { draw(hash, $0, response, signature) }
    }

    /// Under the VRF rule.
    @_noLocks
    public static func vrf(
        hash: Bytes32,
        value: Bytes64,
        response: Bytes32,
        signature: Bytes64
    ) -> UInt64 {
        var value = value
        return value.withRegion { draw(hash, $0, response, signature) }
    }

    @_noLocks
    private static func draw(
        _ hash: Bytes32,
        _ decider: Region,
        _ response: Bytes32,
        _ signature: Bytes64
    ) -> UInt64 {
        var (preimage, digest) = (FixedBytes<192>(), Bytes32())
        return preimage.withRegion { preimage in
            write(hash, decider, response, signature, to: preimage)
            return digest.withRegion { digest in
                Hash.keccak256(preimage.slice(0, 128 + decider.byteCount), into: digest)
                return digest.bigEndian(0, count: 7)
            }
        }
    }

    /// Writes what is hashed: 128 bytes and the decider's.
    @_noLocks
    static func write(
        _ hash: Bytes32,
        _ decider: Region,
        _ response: Bytes32,
        _ signature: Bytes64,
        to preimage: Region
    ) {
        let end = 32 + decider.byteCount
        preimage.store(hash, 0)
        preimage.copy(decider, to: 32)
        preimage.store(response, end)
        preimage.store(signature, end + 32)
    }
}
