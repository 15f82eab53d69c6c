public import Bytes
internal import CCrypto

/// ChaCha20-Poly1305 (RFC 8439) for many datagrams under few keys: one thread's contexts of
/// libcrypto, made once. The nonce is four zero bytes and a little-endian counter; there is no
/// associated data.
///
/// A context remembers its key until the next one: `forget` when a key has ended.
@safe
public struct DatagramCipher: ~Copyable {
    /// Bytes of a tag.
    public static var tagBytes: Int { @_noLocks get { 16 } }

    private let sealing: OpaquePointer
    private let opening: OpaquePointer

    /// Makes the contexts: allocates.
    public init() {
        guard let cipher = unsafe EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil),
            let sealing = unsafe EVP_CIPHER_CTX_new(), let opening = unsafe EVP_CIPHER_CTX_new(),
            unsafe EVP_EncryptInit_ex2(sealing, cipher, nil, nil, nil) == 1,
            unsafe EVP_DecryptInit_ex2(opening, cipher, nil, nil, nil) == 1
        else { fatalError("libcrypto has no ChaCha20-Poly1305") }
        unsafe self.sealing = sealing
        unsafe self.opening = opening
        unsafe EVP_CIPHER_free(cipher)
        forget()
    }

    deinit {
        // Wipes the keys too.
        unsafe EVP_CIPHER_CTX_free(sealing)
        unsafe EVP_CIPHER_CTX_free(opening)
    }

    /// What `seal` uses from now on: 32 bytes.
    @_semantics("no_performance_analysis")
    public mutating func setSealingKey(_ key: Region) {
        assert(key.byteCount == 32)
        let isSet = unsafe EVP_EncryptInit_ex2(sealing, nil, key.octets, nil, nil) == 1
        precondition(isSet, "libcrypto takes no key")
    }

    /// What `open` uses from now on: 32 bytes.
    @_semantics("no_performance_analysis")
    public mutating func setOpeningKey(_ key: Region) {
        assert(key.byteCount == 32)
        let isSet = unsafe EVP_DecryptInit_ex2(opening, nil, key.octets, nil, nil) == 1
        precondition(isSet, "libcrypto takes no key")
    }

    /// Replaces both keys by one of zeros.
    @_semantics("no_performance_analysis")
    public mutating func forget() {
        let zeros = Bytes32()
        let isSet = unsafe zeros.withPointer { zeros in
            unsafe EVP_EncryptInit_ex2(sealing, nil, zeros, nil, nil) == 1
                && EVP_DecryptInit_ex2(opening, nil, zeros, nil, nil) == 1
        }
        precondition(isSet, "libcrypto takes no key")
    }

    /// Encrypts in place all of `text` but its last 16 bytes, which become the tag.
    @_semantics("no_performance_analysis")
    public mutating func seal(_ text: Region, counter: UInt64) {
        let count = text.byteCount - DatagramCipher.tagBytes
        let (bytes, end) = unsafe (text.octets, text.octets + count)
        var written: Int32 = 0
        let isSealed = unsafe nonce(counter).withPointer { nonce in
            unsafe EVP_EncryptInit_ex2(sealing, nil, nil, nonce, nil) == 1
                && EVP_EncryptUpdate(sealing, bytes, &written, bytes, Int32(count)) == 1
                && EVP_EncryptFinal_ex(sealing, end, &written) == 1
                && EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, 16, end) == 1
        }
        // What is not sealed must not leave.
        precondition(isSealed, "libcrypto does not seal")
    }

    /// Decrypts `text`, whose last 16 bytes are the tag, to `plain`, which is 16 bytes shorter;
    /// false if the tag does not match, and then `plain` is not to be read.
    @_semantics("no_performance_analysis")
    public mutating func open(_ text: Region, into plain: Region, counter: UInt64) -> Bool {
        let count = text.byteCount - DatagramCipher.tagBytes
        assert(plain.byteCount == count)
        let (bytes, end, out) = unsafe (text.octets, text.octets + count, plain.octets)
        var written: Int32 = 0
        return unsafe nonce(counter).withPointer { nonce in
            unsafe EVP_DecryptInit_ex2(opening, nil, nil, nonce, nil) == 1
                && EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, 16, end) == 1
                && EVP_DecryptUpdate(opening, out, &written, bytes, Int32(count)) == 1
                && EVP_DecryptFinal_ex(opening, out + count, &written) == 1
        }
    }

    @_noLocks
    private func nonce(_ counter: UInt64) -> FixedBytes<12> {
        var nonce = FixedBytes<12>()
        for index in 0..<8 {
            nonce[4 + index] = UInt8(truncatingIfNeeded: counter >> UInt64(8 * index))
        }
        return nonce
    }
}

extension Region {
    fileprivate var octets: UnsafeMutablePointer<UInt8> {
        unsafe base.assumingMemoryBound(to: UInt8.self)
    }
}
