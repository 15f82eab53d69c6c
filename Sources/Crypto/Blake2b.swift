public import Bytes
internal import CSodium

/// BLAKE2b (RFC 7693).
public enum Blake2b {
    /// Bytes of the longest hash, the one that Noise takes.
    public static var hashBytes: Int { @_noLocks get { 64 } }
    /// Bytes of a block.
    static var blockBytes: Int { @_noLocks get { 128 } }

    /// `out` (16 to 64 B) := hash of `input`, under `key` (16 to 64 B) if there is one.
    @_semantics("no_performance_analysis")
    public static func hash(_ input: Region, key: Region? = nil, into out: Region) {
        assert((16...64).contains(out.byteCount))
        _ = unsafe crypto_generichash_blake2b(
            out.octets,
            out.byteCount,
            input.octets,
            UInt64(input.byteCount),
            key?.octets,
            key?.byteCount ?? 0
        )
    }

    /// `out` (64 B) := hash of `first` ‖ `second`; `out` may be one of them.
    public static func hash(_ first: Region, _ second: Region, into out: Region) {
        assert(out.byteCount == hashBytes)
        unsafe withUnsafeTemporaryAllocation(
            byteCount: crypto_generichash_blake2b_statebytes(),
            alignment: 64
        ) { room in
            guard let state = OpaquePointer(room.baseAddress) else { return }
            unsafe crypto_generichash_blake2b_init(state, nil, 0, hashBytes)
            for piece in [first, second] {
                unsafe crypto_generichash_blake2b_update(
                    state,
                    piece.octets,
                    UInt64(piece.byteCount)
                )
            }
            unsafe crypto_generichash_blake2b_final(state, out.octets, hashBytes)
            unsafe sodium_memzero(UnsafeMutableRawPointer(state), room.count)
        }
    }

    /// `out` (64 B) := HMAC (RFC 2104) of `input` under `key` (at most 64 B); `out` may be one of
    /// them.
    public static func hmac(_ input: Region, key: Region, into out: Region) {
        assert(key.byteCount <= hashBytes && out.byteCount == hashBytes)
        var pad = FixedBytes<128>()
        pad.withRegion { pad in
            pad.copy(key, to: 0)
            mask(pad, 0x36)
            var inner = Bytes64()
            inner.withRegion { inner in
                hash(pad, input, into: inner)
                mask(pad, 0x36 ^ 0x5c)
                hash(pad, inner, into: out)
                zeroize(inner)
            }
            zeroize(pad)
        }
    }

    private static func mask(_ pad: Region, _ byte: UInt8) {
        for index in 0..<blockBytes { pad.store(pad.byte(index) ^ byte, index) }
    }
}
