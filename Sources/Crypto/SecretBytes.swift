public import Bytes
internal import CSodium

/// Secret memory with one owner: guard pages around it, kept from swap and core dumps where the
/// system allows, overwritten when released.
@safe
public final class SecretBytes: @unchecked Sendable {
    /// The secret. Valid while this object lives, and that may end with its last use: hold it in a
    /// property, or use `withRegion`.
    public let region: Region
    private let base: UnsafeMutableRawPointer

    /// `count` zero bytes.
    public init(count: Int) {
        Sodium.start()
        guard let made = unsafe sodium_malloc(max(count, 1)) else { fatalError("no secret memory") }
        unsafe base = made
        region = unsafe Region(base: made, byteCount: count)
        region.fill(0)
    }

    /// A copy; wiping the original is the caller's business.
    public convenience init(copying region: Region) {
        self.init(count: region.byteCount)
        self.region.copy(region, to: 0)
    }

    /// A copy of bytes that were read from outside.
    public convenience init(_ bytes: some Collection<UInt8>) {
        self.init(count: bytes.count)
        region.store(bytes: bytes, 0)
    }

    /// Fresh randomness.
    public static func random(count: Int) -> SecretBytes {
        let secret = SecretBytes(count: count)
        Random.fill(secret.region)
        return secret
    }

    /// Calls `body` with the secret; the object lives at least as long as the call.
    public func withRegion<R>(_ body: (Region) -> R) -> R {
        withExtendedLifetime(self) { body(region) }
    }

    /// A copy for the control plane, which nobody wipes.
    public var bytes: [UInt8] { withRegion { $0.array } }

    /// Number of bytes.
    public var count: Int { region.byteCount }

    /// Overwrites the secret with zeros; the object stays usable as zeros.
    public func wipe() { zeroize(region) }

    // sodium_free overwrites before it unmaps.
    deinit { unsafe sodium_free(base) }
}
