public import Bytes
internal import CKernels

/// Hashes of one message: over regions for the packet path, over arrays for the control plane.
public enum Hash {
    /// `out` (32 B) := Keccak-256, Ethereum's padding. `out` may be part of `input`.
    @_semantics("no_performance_analysis")
    public static func keccak256(_ input: Region, into out: Region) {
        assert(out.byteCount >= 32)
        unsafe kernels_keccak256(input.bytes, input.byteCount, out.bytes)
    }

    /// `out` (all of it) := BLAKE3.
    @_semantics("no_performance_analysis")
    public static func blake3(_ input: Region, into out: Region) {
        unsafe kernels_blake3(input.bytes, input.byteCount, out.bytes, out.byteCount)
    }

    /// `out` (48 B mod n, 32 B big-endian) := a uniform scalar of secp256k1.
    @_semantics("no_performance_analysis")
    public static func scalarReduce48(_ input: Region, into out: Region) {
        assert(input.byteCount == 48 && out.byteCount >= 32)
        unsafe kernels_secp256k1_reduce48(input.bytes, out.bytes)
    }
}

extension Region {
    fileprivate var bytes: UnsafeMutablePointer<UInt8> {
        unsafe base.assumingMemoryBound(to: UInt8.self)
    }
}

// MARK: Control plane

extension Hash {
    /// Keccak-256, Ethereum's padding.
    public static func keccak256(_ input: [UInt8]) -> Bytes32 {
        unsafe fill { unsafe kernels_keccak256(input, input.count, $0) }
    }

    /// Keccak-256 applied `count` times.
    public static func keccakIterate(_ value: Bytes32, count: Int) -> Bytes32 {
        var value = value
        unsafe value.withMutablePointer { pointer in
            let region = unsafe Region(base: UnsafeMutableRawPointer(pointer), byteCount: 32)
            Kernels.keccakIterate(Lanes(region), count: count, live: 1)
        }
        return value
    }

    /// SHA3-256.
    public static func sha3(_ input: [UInt8]) -> Bytes32 {
        unsafe fill { unsafe kernels_sha3_256(input, input.count, $0) }
    }

    /// BLAKE3.
    public static func blake3(_ input: [UInt8]) -> Bytes32 {
        unsafe fill { unsafe kernels_blake3(input, input.count, $0, 32) }
    }

    /// BLAKE3, `count` bytes of output.
    public static func blake3(_ input: [UInt8], count: Int) -> [UInt8] {
        unsafe array(count) { unsafe kernels_blake3(input, input.count, $0, count) }
    }

    /// BLAKE3 under a key.
    public static func blake3Keyed(key: Bytes32, _ input: [UInt8], count: Int = 32) -> [UInt8] {
        unsafe array(count) { out in
            unsafe key.withPointer {
                unsafe kernels_blake3_keyed($0, input, input.count, out, count)
            }
        }
    }

    /// BLAKE3 in derive_key mode.
    public static func blake3Derive(
        context: String,
        material: [UInt8],
        count: Int
    ) -> [UInt8] {
        let context = Array(context.utf8)
        return unsafe array(count) { out in
            unsafe kernels_blake3_derive(
                context,
                context.count,
                material,
                material.count,
                out,
                count
            )
        }
    }

    /// expand_message_xmd of RFC 9380 with SHA3-256; `domain` at most 255 B.
    public static func expandSHA3(_ message: [UInt8], domain: [UInt8], count: Int) -> [UInt8] {
        precondition(domain.count <= 255 && count <= 8160)
        return unsafe array(count) { out in
            unsafe kernels_expand_sha3_256(
                message,
                message.count,
                domain,
                domain.count,
                out,
                count
            )
        }
    }

    /// expand_message_xmd of RFC 9380 with Keccak-256; `domain` at most 255 B.
    public static func expandKeccak(_ message: [UInt8], domain: [UInt8], count: Int) -> [UInt8] {
        precondition(domain.count <= 255 && count <= 8160)
        return unsafe array(count) { out in
            unsafe kernels_expand_keccak256(
                message,
                message.count,
                domain,
                domain.count,
                out,
                count
            )
        }
    }

    /// 48 bytes, big-endian, mod the order of secp256k1.
    public static func scalarReduce48(_ input: [UInt8]) -> Bytes32 {
        precondition(input.count == 48)
        return unsafe fill { unsafe kernels_secp256k1_reduce48(input, $0) }
    }

    /// x ‖ y of hash_to_curve, secp256k1 SSWU with Keccak-256; `domain` at most 255 B.
    public static func hashToCurve(_ message: [UInt8], domain: [UInt8]) -> Bytes64 {
        precondition(domain.count <= 255)
        var message = message
        var domain = domain
        let count = message.count
        var point = Bytes64()
        unsafe message.withUnsafeMutableBytes { message in
            unsafe domain.withUnsafeMutableBytes { domain in
                unsafe point.withMutablePointer { out in
                    guard let message = message.baseAddress, let tag = domain.baseAddress else {
                        preconditionFailure("message and domain must not be empty")
                    }
                    unsafe Kernels.hashToCurve(
                        Lanes(Region(base: message, byteCount: count)),
                        count: count,
                        domain: Region(base: tag, byteCount: domain.count),
                        out: Lanes(Region(base: UnsafeMutableRawPointer(out), byteCount: 64)),
                        live: 1
                    )
                }
            }
        }
        return point
    }

    private static func fill(_ body: (UnsafeMutablePointer<UInt8>) -> Void) -> Bytes32 {
        var result = Bytes32()
        unsafe result.withMutablePointer { unsafe body($0) }
        return result
    }

    private static func array(
        _ count: Int,
        _ body: (UnsafeMutablePointer<UInt8>) -> Void
    ) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
            if count > 0, let base = buffer.baseAddress { unsafe body(base) }
            initialised = count
        }
    }
}
