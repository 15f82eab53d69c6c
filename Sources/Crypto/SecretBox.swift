internal import Bytes
internal import CSodium

/// Why a box did not open.
public enum SecretBoxError: Error, Equatable {
    /// The bytes are no box, or of a version or cost that this build does not take.
    case malformed
    /// The passphrase is wrong, or the box was changed.
    case wrongPassphrase
    /// Argon2id could not get its memory.
    case outOfMemory
}

/// Secrets at rest under a passphrase: Argon2id, then XChaCha20-Poly1305.
///
///     magic "DRAYBOX1" 8 ‖ passes u32 BE ‖ memory KiB u32 BE ‖ salt 16 ‖ nonce 24
///     ‖ ciphertext ‖ tag 16
///
/// Everything before the ciphertext is authenticated with it.
public enum SecretBox {
    /// How hard guessing is made.
    public enum Cost: Sendable {
        /// 2 passes over 64 MiB, about a tenth of a second.
        case interactive
        /// 3 passes over 256 MiB, about a second; the default for keys that hold money.
        case moderate
        /// The least Argon2id takes; for tests, protects nothing.
        case least

        var passes: UInt32 {
            switch self {
            case .interactive: 2
            case .moderate: 3
            case .least: 1
            }
        }
        var memoryKiB: UInt32 {
            switch self {
            case .interactive: 65_536
            case .moderate: 262_144
            case .least: 8
            }
        }
    }

    static let magic = Array("DRAYBOX1".utf8)
    static let headBytes = 8 + 4 + 4 + 16 + 24
    static let tagBytes = 16
    // A file from elsewhere must not make us take terabytes.
    static let passesMax: UInt32 = 16
    static let memoryKiBMax: UInt32 = 1 << 20

    /// Locks `secret` under `passphrase`.
    public static func seal(
        _ secret: SecretBytes,
        passphrase: SecretBytes,
        cost: Cost = .moderate
    ) throws(SecretBoxError) -> [UInt8] {
        var box = magic
        append(cost.passes, to: &box)
        append(cost.memoryKiB, to: &box)
        box += Random.bytes(16 + 24)
        let key = try deriveKey(head: box, passphrase: passphrase)
        let head = box
        box += [UInt8](repeating: 0, count: secret.count + tagBytes)
        unsafe box.withUnsafeMutableBufferPointer { box in
            unsafe head.withUnsafeBufferPointer { head in
                guard let out = box.baseAddress, let head = head.baseAddress else { return }
                _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                    out + headBytes,
                    nil,
                    secret.region.octets,
                    UInt64(secret.count),
                    head,
                    UInt64(headBytes),
                    nil,
                    head + 32,
                    key.region.octets
                )
            }
        }
        return box
    }

    /// Opens a box.
    public static func open(
        _ box: [UInt8],
        passphrase: SecretBytes
    ) throws(SecretBoxError) -> SecretBytes {
        guard box.count >= headBytes + tagBytes, Array(box.prefix(8)) == magic else {
            throw .malformed
        }
        let key = try deriveKey(head: Array(box.prefix(headBytes)), passphrase: passphrase)
        let secret = SecretBytes(count: box.count - headBytes - tagBytes)
        let opened = unsafe box.withUnsafeBufferPointer { box in
            guard let box = box.baseAddress else { return false }
            return unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                secret.region.octets,
                nil,
                nil,
                box + headBytes,
                UInt64(secret.count + tagBytes),
                box,
                UInt64(headBytes),
                box + 32,
                key.region.octets
            ) == 0
        }
        guard opened else { throw .wrongPassphrase }
        return secret
    }

    private static func deriveKey(
        head: [UInt8],
        passphrase: SecretBytes
    ) throws(SecretBoxError) -> SecretBytes {
        let passes = number(head, at: 8)
        let memoryKiB = number(head, at: 12)
        guard 1...passesMax ~= passes, 8...memoryKiBMax ~= memoryKiB else { throw .malformed }
        let key = SecretBytes(count: 32)
        let derived = unsafe head.withUnsafeBufferPointer { head in
            guard let head = head.baseAddress else { return false }
            return unsafe crypto_pwhash(
                key.region.octets,
                32,
                UnsafeRawPointer(passphrase.region.base).assumingMemoryBound(to: CChar.self),
                UInt64(passphrase.count),
                head + 16,
                UInt64(passes),
                Int(memoryKiB) << 10,
                crypto_pwhash_ALG_ARGON2ID13
            ) == 0
        }
        guard derived else { throw .outOfMemory }
        return key
    }

    private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
