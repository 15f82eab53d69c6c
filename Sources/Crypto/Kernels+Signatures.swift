public import Bytes
internal import CKernels

// Points are x ‖ y, 64 B; scalars and coordinates 32 B big-endian.

// MARK: secp256k1

extension Kernels {
    /// Outcome of a sum of points.
    public struct SumOutcome: BitwiseCopyable, Sendable {
        /// The second term is a point.
        public let points: LaneMask
        /// Of `points`: the sum exists; outputs are written for these lanes.
        public let sums: LaneMask
    }

    /// `out` (64 B) := scalar · G. Returns the lanes whose scalar is in 1...n-1; only these are
    /// written.
    @_semantics("no_performance_analysis")
    public static func secpMulBase(_ scalar: Lanes, out: Lanes, live: LaneMask) -> LaneMask {
        unsafe scalar.with { scalar in
            unsafe out.with { out in
                unsafe kernels_best().pointee.secp_mul_base(scalar, out, live)
            }
        }
    }

    /// `out` (64 B) := scalar · G + point, the point 33 B compressed. A scalar outside 1...n-1 and
    /// a sum at infinity have no sum. Constant time in the scalar, variable time in the point.
    @_semantics("no_performance_analysis")
    public static func secpMulBaseAdd(
        _ scalar: Lanes,
        point: Lanes,
        out: Lanes,
        live: LaneMask
    ) -> SumOutcome {
        let outcome = unsafe scalar.with { scalar in
            unsafe point.with { point in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.secp_mul_base_add(scalar, point, out, live)
                }
            }
        }
        return SumOutcome(points: outcome.points, sums: outcome.sums)
    }

    /// `out` (64 B) := scalar · point. Returns the lanes whose scalar is in 1...n-1 and whose point
    /// is on the curve; only these are written. Constant time in the scalar.
    @_semantics("no_performance_analysis")
    public static func secpMul(
        _ point: Lanes,
        scalar: Lanes,
        out: Lanes,
        live: LaneMask
    ) -> LaneMask {
        unsafe point.with { point in
            unsafe scalar.with { scalar in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.secp_mul(point, scalar, out, live)
                }
            }
        }
    }

    /// `out` (32 B) := a + b mod n. Returns the lanes where a, b and the sum are in 1...n-1; only
    /// these are written. `out` may be `a` or `b`.
    @_semantics("no_performance_analysis")
    public static func secpAddScalars(
        _ a: Lanes,
        _ b: Lanes,
        out: Lanes,
        live: LaneMask
    ) -> LaneMask {
        unsafe a.with { a in
            unsafe b.with { b in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.secp_add_scalars(a, b, out, live)
                }
            }
        }
    }
}

// MARK: ECDSA over secp256k1
//
// Signatures are r ‖ s, s in the lower half, the parity of R in its top bit.

extension Kernels {
    /// Signs hashes with one key (32 B); nonces are what RFC 6979 makes of key and `seed` (32 B).
    /// Pass the hashes for RFC 6979 itself; any other seed must depend on the hash. Returns the
    /// lanes that were signed: all, or none for a key outside 1...n-1; only these are written.
    /// Constant time in key, seed and nonce.
    @_semantics("no_performance_analysis")
    public static func ecdsaSign(
        key: Region,
        hash: Lanes,
        seed: Lanes,
        signature: Lanes,
        live: LaneMask
    ) -> LaneMask {
        assert(key.byteCount == 32)
        return unsafe hash.with { hash in
            unsafe seed.with { seed in
                unsafe signature.with { signature in
                    unsafe kernels_best().pointee.ecdsa_sign(
                        key.octets,
                        hash,
                        seed,
                        signature,
                        live
                    )
                }
            }
        }
    }

    /// Bytes of a signer's table; 64-byte aligned.
    public static var signerBytes: Int { @_noLocks get { Int(KERNELS_SIGNER_BYTES) } }

    /// `table` := what `ecdsaVerifyVariableTime` wants of a signer's point, `signerBytes` each;
    /// only the row that made a table can read it. Returns the lanes whose point is on the curve;
    /// only these are written.
    @_semantics("no_performance_analysis")
    public static func ecdsaTableVariableTime(
        _ point: Lanes,
        table: Lanes,
        live: LaneMask
    ) -> LaneMask {
        unsafe point.with { point in
            unsafe table.with { table in
                unsafe kernels_best().pointee.ecdsa_table(point, table, live)
            }
        }
    }

    /// The lanes whose signature is the signer's: those from which recovery with the parity bit
    /// leads to the table's point. Lanes may share a table.
    @_semantics("no_performance_analysis")
    public static func ecdsaVerifyVariableTime(
        table: Lanes,
        hash: Lanes,
        signature: Lanes,
        live: LaneMask
    ) -> LaneMask {
        unsafe table.with { table in
            unsafe hash.with { hash in
                unsafe signature.with { signature in
                    unsafe kernels_best().pointee.ecdsa_verify(table, hash, signature, live)
                }
            }
        }
    }
}

// MARK: Ed25519 signatures

extension Kernels {
    /// `signature` (64 B) := that of `count` bytes, at most 64, by one key: seed 32 ‖ public key
    /// 32. Constant time in the key and in the message.
    @_semantics("no_performance_analysis")
    public static func ed25519Sign(
        key: Region,
        _ message: Lanes,
        count: Int,
        signature: Lanes,
        live: LaneMask
    ) {
        assert(key.byteCount == 64 && count <= 64)
        unsafe message.with { message in
            unsafe signature.with { signature in
                unsafe kernels_best().pointee.ed25519_sign(
                    key.octets,
                    message,
                    count,
                    signature,
                    live
                )
            }
        }
    }

    /// Bytes of a verifier: the table of a public key; 64-byte aligned.
    public static var verifierBytes: Int { @_noLocks get { Int(KERNELS_VERIFIER_BYTES) } }

    /// `table` := what `ed25519VerifyVariableTime` wants of a public key (32 B), `verifierBytes`
    /// each; only the row that made a table can read it. Returns the lanes whose key libsodium
    /// takes; only these are written.
    @_semantics("no_performance_analysis")
    public static func ed25519TableVariableTime(
        _ key: Lanes,
        table: Lanes,
        live: LaneMask
    ) -> LaneMask {
        unsafe key.with { key in
            unsafe table.with { table in
                unsafe kernels_best().pointee.ed25519_table(key, table, live)
            }
        }
    }

    /// The lanes whose signature of `count` bytes, at most 64, libsodium takes for the table's key.
    /// Lanes may share a table.
    @_semantics("no_performance_analysis")
    public static func ed25519VerifyVariableTime(
        table: Lanes,
        _ message: Lanes,
        count: Int,
        signature: Lanes,
        live: LaneMask
    ) -> LaneMask {
        assert(count <= 64)
        return unsafe table.with { table in
            unsafe message.with { message in
                unsafe signature.with { signature in
                    unsafe kernels_best().pointee.ed25519_verify(
                        table,
                        message,
                        count,
                        signature,
                        live
                    )
                }
            }
        }
    }
}

// MARK: SHA-2

extension Kernels {
    /// `out` (32 B) := SHA-256 of `count` bytes. `out` may be `input`.
    @_semantics("no_performance_analysis")
    public static func sha256(_ input: Lanes, count: Int, out: Lanes, live: LaneMask) {
        unsafe input.with { input in
            unsafe out.with { out in
                unsafe kernels_best().pointee.sha256(input, count, out, live)
            }
        }
    }
}
