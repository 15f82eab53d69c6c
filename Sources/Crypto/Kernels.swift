public import Bytes
internal import CKernels

/// What every kernel call means, and what it may touch, stands in `kernels.h`: a call reads and
/// writes only the lanes of `live`, and is constant time in the bytes it is given.
public enum Kernels {
    /// What `DRAY_CPU` asks for.
    public enum Status: Sendable {
        /// The best table of this machine, or the one that was asked for.
        case ready
        /// No table has the name.
        case unknown
        /// This build or this machine cannot run the table.
        case unavailable
    }

    /// Derivation contexts whose context key is precomputed.
    public enum Context: UInt8, Sendable {
        /// Shared secret of a node.
        case sphinxSecret
        /// Blinding factor.
        case sphinxBlinding
        /// Key stream of the header: IV 12, key 32.
        case prg
        /// Key of the header MAC: 32.
        case tag
        /// Payload cipher: IV 24, keys 128.
        case prp
        /// Replay tag: 16.
        case packetTag
        /// Payload cipher of a reply: IV 24, keys 128.
        case replyPRP
        /// Seed of a commitment chain: 32.
        case commitmentSeed

        @usableFromInline
        @_noLocks
        func raw() -> UInt8 { unsafe unsafeBitCast(self, to: UInt8.self) }
    }

    /// Outcome of an alpha step.
    public struct AlphaOutcome: BitwiseCopyable, Sendable {
        /// Alpha is a point of the curve; outputs are written for these lanes.
        public let valid: LaneMask
        /// Of `valid`: the next alpha is the neutral element.
        public let neutral: LaneMask
    }

    /// Name of the table in use.
    public static var table: String { unsafe String(cString: kernels_best().pointee.name) }
    /// The same name as C has it; never freed.
    public static var tableName: UnsafePointer<CChar> { unsafe kernels_best().pointee.name }

    /// Puts the table of that name in use; false, and nothing is changed, if there is none or this
    /// machine cannot run it. For tests and benchmarks, while no other thread computes.
    public static func use(_ name: String) -> Bool {
        unsafe name.withCString { unsafe kernels_use($0) != nil }
    }

    /// Whether `DRAY_CPU` could be followed; a command line exits with 2 if not.
    public static var status: Status { Status(kernels_status()) }

    /// What `status` would be if `DRAY_CPU` were `name`.
    public static func status(of name: String) -> Status {
        unsafe name.withCString { unsafe Status(kernels_status_of($0)) }
    }

    /// The tables that this machine can run.
    private static var names: String {
        ["avx512", "portable", "scalar"].filter { status(of: $0) == .ready }
            .joined(separator: ", ")
    }

    /// Why `DRAY_CPU` cannot be followed, for the user; nil if it can.
    public static var complaint: String? {
        switch status {
        case .ready: nil
        case .unknown: "DRAY_CPU names no kernel table; there is: \(names)"
        case .unavailable:
            "DRAY_CPU names a kernel table that cannot run here; there is: \(names)"
        }
    }
}

extension Kernels.Status {
    fileprivate init(_ status: kernels_status) {
        switch status {
        case KERNELS_OK: self = .ready
        case KERNELS_UNAVAILABLE: self = .unavailable
        default: self = .unknown
        }
    }
}

extension Lanes {
    /// Calls `body` with the C view, valid during the call.
    @_transparent
    func with<R>(_ body: (kernels_lanes) -> R) -> R {
        unsafe withUnsafePointer(to: slots) { slots in
            let first = unsafe UnsafeRawPointer(slots).assumingMemoryBound(to: UInt32.self)
            return unsafe body(
                kernels_lanes(
                    base: base.assumingMemoryBound(to: UInt8.self),
                    stride: stride,
                    slot: hasSlots ? first : nil
                )
            )
        }
    }
}

// MARK: Sphinx group

extension Kernels {
    /// One node's step: the shared secret (32 B) and the next alpha (32 B) of every lane.
    ///
    /// - Parameters:
    ///   - scalar: the node's scalar, 32 B little-endian, reduced; secret.
    ///   - publicKey: the node's packet key, 32 B.
    ///   - next: may be alpha's own memory.
    @_semantics("no_performance_analysis")
    public static func alphaStep(
        _ alpha: Lanes,
        scalar: Region,
        publicKey: Region,
        secret: Lanes,
        next: Lanes,
        live: LaneMask
    ) -> AlphaOutcome {
        let outcome = unsafe alpha.with { alpha in
            unsafe secret.with { secret in
                unsafe next.with { next in
                    unsafe kernels_best().pointee.alpha_step(
                        alpha,
                        scalar.octets,
                        publicKey.octets,
                        secret,
                        next,
                        live
                    )
                }
            }
        }
        return AlphaOutcome(valid: outcome.valid, neutral: outcome.neutral)
    }

    /// `out` := scalar · point, both 32 B, scalar below 2²⁵⁵. Returns the lanes whose point
    /// decodes; only these are written. Constant time in the scalar. `out` may be the point's
    /// memory.
    @_semantics("no_performance_analysis")
    public static func edwardsMul(
        _ point: Lanes,
        scalar: Lanes,
        out: Lanes,
        live: LaneMask
    ) -> LaneMask {
        unsafe point.with { point in
            unsafe scalar.with { scalar in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.edwards_mul(point, scalar, out, live)
                }
            }
        }
    }

    /// Bytes of a point's table.
    public static var tableBytes: Int { @_noLocks get { Int(KERNELS_TABLE_BYTES) } }

    /// `table` := what `edwardsMulTable` wants of a point, `tableBytes` each; only the row that
    /// made a table can read it. Returns the lanes whose point decodes; only these are written.
    @_semantics("no_performance_analysis")
    public static func edwardsTable(_ point: Lanes, table: Lanes, live: LaneMask) -> LaneMask {
        unsafe point.with { point in
            unsafe table.with { table in
                unsafe kernels_best().pointee.edwards_table(point, table, live)
            }
        }
    }

    /// `out` := scalar · point by the point's table, scalar below 2²⁵⁵. Lanes may share a table.
    /// Constant time in the scalar.
    @_semantics("no_performance_analysis")
    public static func edwardsMulTable(
        _ table: Lanes,
        scalar: Lanes,
        out: Lanes,
        live: LaneMask
    ) {
        unsafe table.with { table in
            unsafe scalar.with { scalar in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.edwards_mul_table(table, scalar, out, live)
                }
            }
        }
    }

    /// `out` := scalar · B, scalar below 2²⁵⁵.
    @_semantics("no_performance_analysis")
    public static func edwardsMulBase(scalar: Lanes, out: Lanes, live: LaneMask) {
        unsafe scalar.with { scalar in
            unsafe out.with { out in
                unsafe kernels_best().pointee.edwards_mul_base(scalar, out, live)
            }
        }
    }

    /// `out` := the clamped bytes as a scalar mod ℓ. `out` may be `input`.
    @_semantics("no_performance_analysis")
    public static func scalarClampReduce(_ input: Lanes, out: Lanes, live: LaneMask) {
        unsafe input.with { input in
            unsafe out.with { out in
                unsafe kernels_best().pointee.scalar_clamp_reduce(input, out, live)
            }
        }
    }

    /// `out` := a · b mod ℓ. `out` may be `a` or `b`.
    @_semantics("no_performance_analysis")
    public static func scalarMul(_ a: Lanes, _ b: Lanes, out: Lanes, live: LaneMask) {
        unsafe a.with { a in
            unsafe b.with { b in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.scalar_mul(a, b, out, live)
                }
            }
        }
    }
}

// MARK: BLAKE3

extension Kernels {
    /// `out` := derive_key(context, salt ‖ key), `outBytes` of it.
    @_semantics("no_performance_analysis")
    public static func derive(
        _ context: Context,
        salt: Lanes,
        saltBytes: Int,
        key: Lanes,
        keyBytes: Int,
        out: Lanes,
        outBytes: Int,
        live: LaneMask
    ) {
        unsafe salt.with { salt in
            unsafe key.with { key in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.derive(
                        kernels_context(rawValue: UInt32(context.raw())),
                        salt,
                        saltBytes,
                        key,
                        keyBytes,
                        out,
                        outBytes,
                        live
                    )
                }
            }
        }
    }

    /// `out` := derive_key(context, key), `outBytes` of it, without a salt.
    @_noLocks
    public static func derive(
        _ context: Context,
        key: Lanes,
        keyBytes: Int,
        out: Lanes,
        outBytes: Int,
        live: LaneMask
    ) {
        derive(
            context,
            salt: key,
            saltBytes: 0,
            key: key,
            keyBytes: keyBytes,
            out: out,
            outBytes: outBytes,
            live: live
        )
    }

    /// `out` (32 B) := BLAKE3 of `count` bytes.
    @_semantics("no_performance_analysis")
    public static func blake3(_ input: Lanes, count: Int, out: Lanes, live: LaneMask) {
        unsafe input.with { input in
            unsafe out.with { out in
                unsafe kernels_best().pointee.blake3(input, count, out, live)
            }
        }
    }

    /// `out` (32 B) := BLAKE3 of `count` bytes under a key of 32 B.
    @_semantics("no_performance_analysis")
    public static func blake3Keyed(
        key: Lanes,
        _ input: Lanes,
        count: Int,
        out: Lanes,
        live: LaneMask
    ) {
        unsafe key.with { key in
            unsafe input.with { input in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.blake3_keyed(key, input, count, out, live)
                }
            }
        }
    }
}

// MARK: Header and payload

extension Kernels {
    /// `out` := ChaCha20 key stream, with `inputBytes` of `input` xored onto its beginning.
    ///
    /// - Parameter material: nonce 12 ‖ key 32. `out` may be `input`.
    @_semantics("no_performance_analysis")
    public static func headerStream(
        material: Lanes,
        input: Lanes,
        inputBytes: Int,
        out: Lanes,
        outBytes: Int,
        live: LaneMask
    ) {
        assert(inputBytes <= outBytes)
        unsafe material.with { material in
            unsafe input.with { input in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.header_stream(
                        material,
                        input,
                        inputBytes,
                        out,
                        outBytes,
                        live
                    )
                }
            }
        }
    }

    /// `out` := ChaCha20 key stream of `outBytes`.
    @_noLocks
    public static func headerStream(material: Lanes, out: Lanes, outBytes: Int, live: LaneMask) {
        headerStream(
            material: material,
            input: material,
            inputBytes: 0,
            out: out,
            outBytes: outBytes,
            live: live
        )
    }

    /// `out` (16 B) := Poly1305 of `count` bytes, extended by zeros to whole blocks; more than 512
    /// bytes are whole blocks already.
    @_semantics("no_performance_analysis")
    public static func headerMAC(
        key: Lanes,
        _ input: Lanes,
        count: Int,
        out: Lanes,
        live: LaneMask
    ) {
        assert(count <= 512 || count % 16 == 0)
        unsafe key.with { key in
            unsafe input.with { input in
                unsafe out.with { out in
                    unsafe kernels_best().pointee.header_mac(key, input, count, out, live)
                }
            }
        }
    }

    /// The lanes where `count` bytes are equal; constant time in the bytes.
    @_semantics("no_performance_analysis")
    public static func equal(_ a: Lanes, _ b: Lanes, count: Int, live: LaneMask) -> LaneMask {
        unsafe a.with { a in
            unsafe b.with { b in unsafe kernels_best().pointee.equal(a, b, count, live) }
        }
    }

    /// LIONESS over `count` bytes in place. Material: IV 24 ‖ keys 128.
    @_semantics("no_performance_analysis")
    public static func lionessForward(material: Lanes, block: Lanes, count: Int, live: LaneMask) {
        assert(count > 32)
        unsafe material.with { material in
            unsafe block.with { block in
                unsafe kernels_best().pointee.lioness_forward(material, block, count, live)
            }
        }
    }

    /// Undoes `lionessForward`.
    @_semantics("no_performance_analysis")
    public static func lionessInverse(material: Lanes, block: Lanes, count: Int, live: LaneMask) {
        assert(count > 32)
        unsafe material.with { material in
            unsafe block.with { block in
                unsafe kernels_best().pointee.lioness_inverse(material, block, count, live)
            }
        }
    }
}

// MARK: Keccak and secp256k1

extension Kernels {
    /// `out` (32 B) := Keccak-256 of `count` bytes. `out` may be `input`.
    @_semantics("no_performance_analysis")
    public static func keccak256(_ input: Lanes, count: Int, out: Lanes, live: LaneMask) {
        unsafe input.with { input in
            unsafe out.with { out in
                unsafe kernels_best().pointee.keccak256(input, count, out, live)
            }
        }
    }

    /// Applies Keccak-256 `count` times to 32 B in place.
    @_semantics("no_performance_analysis")
    public static func keccakIterate(_ value: Lanes, count: Int, live: LaneMask) {
        unsafe value.with { unsafe kernels_best().pointee.keccak_iterate($0, count, live) }
    }

    /// The two half-keys of a secret, each 32 B big-endian below the order of secp256k1.
    @_semantics("no_performance_analysis")
    public static func halfKeys(secret: Lanes, own: Lanes, ack: Lanes, live: LaneMask) {
        unsafe secret.with { secret in
            unsafe own.with { own in
                unsafe ack.with { ack in
                    unsafe kernels_best().pointee.half_keys(secret, own, ack, live)
                }
            }
        }
    }

    /// `out` (64 B) := x ‖ y of hash_to_curve, secp256k1 SSWU with Keccak-256.
    ///
    /// - Parameter domain: at most 255 B.
    @_semantics("no_performance_analysis")
    public static func hashToCurve(
        _ message: Lanes,
        count: Int,
        domain: Region,
        out: Lanes,
        live: LaneMask
    ) {
        assert(domain.byteCount <= 255)
        unsafe message.with { message in
            unsafe out.with { out in
                unsafe kernels_best().pointee.hash_to_curve(
                    message,
                    count,
                    domain.octets,
                    domain.byteCount,
                    out,
                    live
                )
            }
        }
    }
}
