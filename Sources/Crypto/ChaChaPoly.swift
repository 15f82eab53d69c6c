public import Bytes
internal import CSodium

/// ChaCha20-Poly1305 with associated data for single messages, as handshakes have them. Datagrams
/// have `DatagramCipher`.
public enum ChaChaPoly {
    /// Bytes of a tag.
    public static var tagBytes: Int { @_noLocks get { 16 } }

    /// `out`, 16 bytes longer than `text`, := ciphertext and tag (RFC 8439); the nonce is four zero
    /// bytes and `counter`, little-endian.
    public static func seal(
        _ text: Region,
        data: Region,
        key: Region,
        counter: UInt64,
        into out: Region
    ) {
        assert(key.byteCount == 32 && out.byteCount == text.byteCount + tagBytes)
        unsafe nonce(counter).withPointer { nonce in
            _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
                out.octets,
                nil,
                text.octets,
                UInt64(text.byteCount),
                data.octets,
                UInt64(data.byteCount),
                nil,
                nonce,
                key.octets
            )
        }
    }

    /// The opposite; false, and `out` is zeros, if text, data, key or counter are not the sender's.
    public static func open(
        _ text: Region,
        data: Region,
        key: Region,
        counter: UInt64,
        into out: Region
    ) -> Bool {
        assert(key.byteCount == 32 && text.byteCount == out.byteCount + tagBytes)
        return unsafe nonce(counter).withPointer { nonce in
            unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
                out.octets,
                nil,
                nil,
                text.octets,
                UInt64(text.byteCount),
                data.octets,
                UInt64(data.byteCount),
                nonce,
                key.octets
            ) == 0
        }
    }

    private static func nonce(_ counter: UInt64) -> FixedBytes<12> {
        var nonce = FixedBytes<12>()
        nonce.withRegion { $0.store(counter.littleEndian, 4) }
        return nonce
    }

    /// XChaCha20-Poly1305 with a 24-byte nonce, which may be random. No allocation, no lock.
    @_semantics("no_performance_analysis")
    public static func sealExtended(
        _ text: Region,
        data: Region,
        key: Region,
        nonce: Region,
        into out: Region
    ) {
        assert(key.byteCount == 32 && nonce.byteCount == 24)
        assert(out.byteCount == text.byteCount + tagBytes)
        _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
            out.octets,
            nil,
            text.octets,
            UInt64(text.byteCount),
            data.octets,
            UInt64(data.byteCount),
            nil,
            nonce.octets,
            key.octets
        )
    }

    /// The opposite; false, and `out` is zeros, if anything is not the sender's.
    public static func openExtended(
        _ text: Region,
        data: Region,
        key: Region,
        nonce: Region,
        into out: Region
    ) -> Bool {
        assert(key.byteCount == 32 && nonce.byteCount == 24)
        assert(text.byteCount == out.byteCount + tagBytes)
        return unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
            out.octets,
            nil,
            nil,
            text.octets,
            UInt64(text.byteCount),
            data.octets,
            UInt64(data.byteCount),
            nonce.octets,
            key.octets
        ) == 0
    }
}
