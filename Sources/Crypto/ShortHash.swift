public import Bytes
internal import CSodium

/// SipHash-2-4 with 16 bytes of output: a cheap MAC of short messages.
public enum ShortHash {
    /// `out` (16 B) := MAC of `input` under `key` (16 B).
    @_semantics("no_performance_analysis")
    public static func mac(_ input: Region, key: Region, into out: Region) {
        assert(key.byteCount == 16 && out.byteCount == 16)
        _ = unsafe crypto_shorthash_siphashx24(
            out.octets,
            input.octets,
            UInt64(input.byteCount),
            key.octets
        )
    }
}
