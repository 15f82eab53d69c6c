public import Bytes
internal import CSodium

/// X25519 (RFC 7748), and the way from packet keys to it.
public enum X25519 {
    /// `publicKey` (32 B) := the public key of `secret` (32 B).
    @_semantics("no_performance_analysis")
    public static func makePublicKey(secret: Region, into publicKey: Region) {
        assert(secret.byteCount == 32 && publicKey.byteCount == 32)
        _ = unsafe crypto_scalarmult_curve25519_base(publicKey.octets, secret.octets)
    }

    /// `shared` (32 B) := what both sides have in common; false if the other's point has a small
    /// order, and then `shared` is not to be used. Constant time.
    @_semantics("no_performance_analysis")
    public static func share(secret: Region, publicKey: Region, into shared: Region) -> Bool {
        assert(secret.byteCount == 32 && publicKey.byteCount == 32 && shared.byteCount == 32)
        return unsafe crypto_scalarmult_curve25519(
            shared.octets,
            secret.octets,
            publicKey.octets
        ) == 0
    }

    /// The X25519 key of the node with an Ed25519 packet key; nil if the key is no point of the
    /// prime-order group. Variable time: keys are public.
    public static func publicKey(ofPacketKey packetKey: Bytes32) -> Bytes32? {
        var publicKey = Bytes32()
        let isPoint = unsafe publicKey.withMutablePointer { out in
            unsafe packetKey.withPointer {
                unsafe crypto_sign_ed25519_pk_to_curve25519(out, $0) == 0
            }
        }
        return isPoint ? publicKey : nil
    }

    /// `secret` (32 B) := the X25519 secret of a packet key, given as `Ed25519.sign` takes it.
    public static func makeSecret(signingKey: Region, into secret: Region) {
        assert(signingKey.byteCount == 64 && secret.byteCount == 32)
        _ = unsafe crypto_sign_ed25519_sk_to_curve25519(secret.octets, signingKey.octets)
    }
}
