public import Bytes

/// What the nonces of ECDSA signatures are made of.
public enum NonceRule: String, CaseIterable, BitwiseCopyable, Sendable {
    /// Key and hash, as in RFC 6979: one hash has one signature.
    case rfc6979
    /// Key and SHA-256(hash ‖ 32 random bytes), by the same construction. A fault that is repeated
    /// meets another nonce; randomness that fails leaves one nonce for each hash.
    case hedged

    /// The seed of a nonce for a hash (control plane).
    public func seed(_ hash: Bytes32) -> Bytes32 {
        switch self {
        case .rfc6979: hash
        case .hedged: NonceRule.hedge(hash, with: Random.bytes32())
        }
    }

    /// The seed of a hedged nonce (control plane).
    public static func hedge(_ hash: Bytes32, with random: Bytes32) -> Bytes32 {
        var (input, seed) = (FixedBytes<64>(), Bytes32())
        input.withRegion { input in
            input.store(hash, 0)
            input.store(random, 32)
            seed.withRegion { Kernels.sha256(Lanes(input), count: 64, out: Lanes($0), live: 1) }
        }
        return seed
    }
}
