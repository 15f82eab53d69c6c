public import Bytes

/// A node's chain key (secp256k1): signs tickets and speaks for its channels. Wiped when released.
public final class ChainKey: Sendable {
    private let secret: SecretBytes
    /// The public key, 33 bytes.
    public let publicKey: Bytes33
    /// The public key, x ‖ y.
    public let affine: Bytes64
    /// The chain address.
    public let address: Address

    /// Bytes of the secret scalar, all there is to store.
    public static let secretBytes = 32

    /// From a 32-byte big-endian scalar, copied; nil outside 1...n-1.
    public init?(secret: Region) {
        precondition(secret.byteCount == ChainKey.secretBytes)
        self.secret = SecretBytes(copying: secret)
        var point = CurvePoint()
        guard Secp256k1.shared.multiplyBase(self.secret.region, into: &point) else { return nil }
        publicKey = point.compressed
        affine = point.affine
        address = Secp256k1.address(affine: affine)
    }

    /// A new key.
    public static func random() -> ChainKey {
        while true {
            let made = SecretBytes.random(count: secretBytes).withRegion { ChainKey(secret: $0) }
            if let made { return made }
        }
    }

    /// The scalar, 32 bytes; valid while the key lives, see `SecretBytes.region`.
    public var secretScalar: Region { secret.region }

    /// Calls `body` with the scalar; the key lives at least as long as the call.
    public func withSecretScalar<R>(_ body: (Region) -> R) -> R { secret.withRegion(body) }

    /// Signs a hash (control plane).
    public func sign(hash: Bytes32, nonces: NonceRule = .rfc6979) -> Bytes64 {
        var (hash, seed, signature) = (hash, nonces.seed(hash), Bytes64())
        let made = hash.withRegion { hash in
            seed.withRegion { seed in
                signature.withRegion {
                    Secp256k1.shared.sign(hash: hash, seed: seed, key: secret.region, into: $0)
                }
            }
        }
        precondition(made, "chain key was wiped")
        return signature
    }

    /// True if a signature of ours is good: recovery leads to our address (control plane). One that
    /// a fault has spoilt may tell the key, so it must not leave.
    public func hasSigned(hash: Bytes32, signature: Bytes64) -> Bool {
        Secp256k1.signer(hash: hash, signature: signature) == address
    }

    /// Overwrites the key before its time; signing with it afterwards traps.
    public func wipe() { secret.wipe() }
}

extension CurvePoint {
    /// x ‖ y (control plane).
    public var affine: Bytes64 {
        var result = Bytes64()
        let written = result.withRegion { Secp256k1.shared.write(self, affine: $0) }
        precondition(written, "no point")
        return result
    }

    /// 33 bytes (control plane).
    public var compressed: Bytes33 {
        var result = Bytes33()
        let written = result.withRegion { Secp256k1.shared.write(self, compressed: $0) }
        precondition(written, "no point")
        return result
    }

    /// Reads 33 bytes (control plane).
    public init?(compressed: Bytes33) {
        self.init()
        var bytes = compressed
        guard bytes.withRegion({ Secp256k1.shared.parse(compressed: $0, into: &self) }) else {
            return nil
        }
    }

    /// Reads x ‖ y (control plane).
    public init?(affine: Bytes64) {
        self.init()
        var bytes = affine
        guard bytes.withRegion({ Secp256k1.shared.parse(affine: $0, into: &self) }) else {
            return nil
        }
    }

    /// The address of a key or challenge (control plane).
    public var address: Address { Secp256k1.address(affine: affine) }
}

extension Secp256k1 {
    /// Who signed the hash; nil as for `recoverVariableTime` (control plane).
    public static func signer(hash: Bytes32, signature: Bytes64) -> Address? {
        var (hash, signature, point) = (hash, signature, CurvePoint())
        let found = hash.withRegion { hash in
            signature.withRegion {
                shared.recoverVariableTime(hash: hash, signature: $0, into: &point)
            }
        }
        return found ? point.address : nil
    }
}
