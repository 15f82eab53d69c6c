public import Bytes
internal import CSecp256k1

/// A libsecp256k1 context: the curve of chain keys, tickets and proof of relay.
///
/// The handle is a pointer. `shared` serves the control plane; a worker, or an embedder's context,
/// makes its own in memory of its own with `init(in:)`. Nothing here allocates, locks or throws,
/// and misuse of a point makes a call fail, not the process. Functions whose scalars may be secret
/// are constant time in them; those that are not say `VariableTime`.
@safe
public struct Secp256k1: @unchecked Sendable {
    let context: OpaquePointer

    /// For the control plane; blinded once with fresh randomness.
    public static let shared = Secp256k1()

    /// Bytes that `init(in:)` needs.
    public static let byteCount = 256

    private init() {
        guard let made = unsafe secp_context_new() else { fatalError("secp256k1 context") }
        unsafe context = made
        var seed = Bytes32()
        seed.withRegion { Random.fill($0) }
        seed.withRegion {
            randomise(seed: $0)
            zeroize($0)
        }
    }

    /// Makes a context in `region`: 16-byte aligned, at least `byteCount` bytes, not moved while
    /// used.
    public init(in region: Region) {
        let size = secp_context_size()
        let aligned = unsafe UInt(bitPattern: region.base) % 16 == 0
        precondition(size <= Secp256k1.byteCount && region.byteCount >= size && aligned)
        unsafe context = secp_context_place(region.base)
    }

    /// Blinds multiplications of the base point with 32 random bytes. No other thread may use the
    /// context meanwhile.
    @_semantics("no_performance_analysis")
    public func randomise(seed: Region) {
        assert(seed.byteCount == 32)
        _ = unsafe secp256k1_context_randomize(context, seed.octets)
    }
}

/// A point of secp256k1, never the neutral one, in the library's own form: pass it on, do not store
/// it.
public struct CurvePoint: BitwiseCopyable, Sendable {
    var storage = Bytes64()

    /// No point yet: every function given it fails.
    @_noLocks
    public init() {}
}

extension Region {
    /// The bytes as C wants them.
    var octets: UnsafeMutablePointer<UInt8> { unsafe base.assumingMemoryBound(to: UInt8.self) }
}

extension CurvePoint {
    func reading<R>(_ body: (UnsafePointer<secp256k1_pubkey>) -> R) -> R {
        unsafe withUnsafePointer(to: self) { pointer in
            unsafe body(UnsafeRawPointer(pointer).assumingMemoryBound(to: secp256k1_pubkey.self))
        }
    }

    mutating func writing<R>(_ body: (UnsafeMutablePointer<secp256k1_pubkey>) -> R) -> R {
        unsafe withUnsafeMutablePointer(to: &self) { pointer in
            unsafe body(
                UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: secp256k1_pubkey.self)
            )
        }
    }
}
