public import Bytes

/// A node's packet key (Ed25519): peels packets and signs acknowledgements. Wiped when released.
public final class PacketKey: Sendable {
    private let secret: SecretBytes
    /// The public key, by which the node is known on the wire.
    public let publicKey: Bytes32

    /// Bytes of the seed, all there is to store.
    public static let seedBytes = 32

    /// From a 32-byte seed, copied.
    public init(seed: Region) {
        precondition(seed.byteCount == PacketKey.seedBytes)
        secret = SecretBytes(count: 128)
        secret.region.copy(seed, to: 0)
        Ed25519.makeSigningKey(
            seed: secret.region.slice(0, 32),
            into: secret.region.slice(32, 64)
        )
        Ed25519.makeScalar(seed: secret.region.slice(0, 32), into: secret.region.slice(96, 32))
        publicKey = secret.region.load(64)
    }

    /// A new key.
    public static func random() -> PacketKey {
        SecretBytes.random(count: seedBytes).withRegion { PacketKey(seed: $0) }
    }

    /// The seed, 32 bytes; valid while the key lives, see `SecretBytes.region`.
    public var seed: Region { secret.region.slice(0, 32) }
    /// What `Ed25519.sign` takes, 64 bytes; valid while the key lives, see `SecretBytes.region`.
    public var signingKey: Region { secret.region.slice(32, 64) }
    /// What the alpha step takes: a reduced scalar, 32 bytes little-endian; valid while the key
    /// lives, see `SecretBytes.region`.
    public var scalar: Region { secret.region.slice(96, 32) }

    /// Signs a short message (control plane).
    public func sign(_ message: [UInt8]) -> Bytes64 {
        var message = message
        var signature = Bytes64()
        message.withRegion { message in
            signature.withRegion { Ed25519.sign(message, key: signingKey, into: $0) }
        }
        return signature
    }

    /// Overwrites the key before its time; it must not be used afterwards.
    public func wipe() { secret.wipe() }
}

extension Ed25519 {
    /// Strict verification (control plane).
    public static func verify(_ message: [UInt8], signature: Bytes64, signer: Bytes32) -> Bool {
        var (message, signature, signer) = (message, signature, signer)
        return message.withRegion { message in
            signature.withRegion { signature in
                signer.withRegion {
                    verifyVariableTime(message, signature: signature, signer: $0)
                }
            }
        }
    }
}
