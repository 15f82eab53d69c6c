public import Bytes
internal import CKernels

extension Hash {
    /// `out` (32 B) := expand_message_xmd with Keccak-256 to 48 bytes, modulo the order of
    /// secp256k1. Constant time in the message, and keeps nothing of it. `domain` at most 255 B.
    public static func scalarKeccak(_ message: Region, domain: Region, into out: Region) {
        precondition(domain.byteCount <= 255 && out.byteCount == 32)
        var wide = FixedBytes<48>()
        wide.withRegion { wide in
            unsafe kernels_expand_keccak256(
                message.octets,
                message.byteCount,
                domain.octets,
                domain.byteCount,
                wide.octets,
                48
            )
            scalarReduce48(wide, into: out)
            zeroize(wide)
        }
    }
}
