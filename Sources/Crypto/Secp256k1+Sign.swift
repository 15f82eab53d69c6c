public import Bytes
internal import CSecp256k1

// Signatures are 64 bytes, r ‖ s with s in the lower half, and the parity of R in the top bit of s
// (EIP-2098).
extension Secp256k1 {
    /// Signs a hash; the nonce is that of RFC 6979, so equal inputs give equal bytes. False for a
    /// key outside 1...n-1. Constant time in the key.
    @_noLocks
    public func sign(hash: Region, key: Region, into signature: Region) -> Bool {
        sign(hash: hash, seed: hash, key: key, into: signature)
    }

    /// The same with a nonce made of `seed` (32 bytes), which must depend on the hash.
    @_semantics("no_performance_analysis")
    public func sign(hash: Region, seed: Region, key: Region, into signature: Region) -> Bool {
        assert(hash.byteCount == 32 && seed.byteCount == 32)
        assert(key.byteCount == 32 && signature.byteCount == 64)
        return unsafe secp_sign(
            context,
            signature.octets,
            hash.octets,
            seed.octets,
            key.octets
        ) == 1
    }

    /// The public key that made the signature; false if there is none, r or s is zero or at least
    /// n, or s is in the upper half.
    @_semantics("no_performance_analysis")
    public func recoverVariableTime(
        hash: Region,
        signature: Region,
        into signer: inout CurvePoint
    ) -> Bool {
        assert(hash.byteCount == 32 && signature.byteCount == 64)
        return unsafe signer.writing {
            unsafe secp_recover(context, $0, signature.octets, hash.octets) == 1
        }
    }

    /// Plain ECDSA: r and s are checked, the parity bit is not, so this alone does not make a
    /// ticket good.
    @_semantics("no_performance_analysis")
    public func verifyVariableTime(hash: Region, signature: Region, signer: CurvePoint) -> Bool {
        assert(hash.byteCount == 32 && signature.byteCount == 64)
        return unsafe signer.reading {
            unsafe secp_verify(context, signature.octets, hash.octets, $0) == 1
        }
    }
}
