public import Bytes
internal import CSodium

/// Ed25519 signatures, as packet keys make them.
public enum Ed25519 {
    /// Bytes of a signature.
    public static let signatureBytes = 64

    /// Expands a 32-byte seed to the 64-byte signing key (seed ‖ public key).
    @_semantics("no_performance_analysis")
    public static func makeSigningKey(seed: Region, into key: Region) {
        assert(seed.byteCount == 32 && key.byteCount == 64)
        var publicKey = Bytes32()
        unsafe publicKey.withMutablePointer {
            _ = unsafe crypto_sign_ed25519_seed_keypair($0, key.octets, seed.octets)
        }
    }

    /// Signs; deterministic and constant time.
    @_semantics("no_performance_analysis")
    public static func sign(_ message: Region, key: Region, into signature: Region) {
        assert(key.byteCount == 64 && signature.byteCount == 64)
        _ = unsafe crypto_sign_ed25519_detached(
            signature.octets,
            nil,
            message.octets,
            UInt64(message.byteCount),
            key.octets
        )
    }

    /// Strict verification: s below the group order, neither R nor the key of small order or
    /// written non-canonically, and the equation without the cofactor.
    @_semantics("no_performance_analysis")
    public static func verifyVariableTime(
        _ message: Region,
        signature: Region,
        signer: Region
    ) -> Bool {
        assert(signature.byteCount == 64 && signer.byteCount == 32)
        return unsafe crypto_sign_ed25519_verify_detached(
            signature.octets,
            message.octets,
            UInt64(message.byteCount),
            signer.octets
        ) == 0
    }

    /// The scalar of a packet key in Sphinx: the clamped half of SHA-512(seed) modulo the group
    /// order, little-endian.
    @_semantics("no_performance_analysis")
    public static func makeScalar(seed: Region, into scalar: Region) {
        assert(seed.byteCount == 32 && scalar.byteCount == 32)
        var room = Bytes64()
        room.withRegion { wide in
            unsafe crypto_hash_sha512(wide.octets, seed.octets, 32)
            wide.store(wide.byte(0) & 0xf8, 0)
            wide.store(wide.byte(31) & 0x7f | 0x40, 31)
            wide.slice(32, 32).fill(0)
            unsafe crypto_core_ed25519_scalar_reduce(scalar.octets, wide.octets)
            zeroize(wide)
        }
    }
}
