public import Bytes
internal import CSecp256k1

extension Secp256k1 {
    /// True for 1...n-1, big-endian. Constant time.
    @_semantics("no_performance_analysis")
    public func isScalar(_ scalar: Region) -> Bool {
        assert(scalar.byteCount == 32)
        return unsafe secp256k1_ec_seckey_verify(context, scalar.octets) == 1
    }

    /// `scalar · G`; false for a scalar outside 1...n-1. Constant time.
    @_semantics("no_performance_analysis")
    public func multiplyBase(_ scalar: Region, into point: inout CurvePoint) -> Bool {
        assert(scalar.byteCount == 32)
        return unsafe point.writing {
            unsafe secp256k1_ec_pubkey_create(context, $0, scalar.octets) == 1
        }
    }

    /// `scalar · point` as x ‖ y; false for a scalar outside 1...n-1. Constant time.
    @_semantics("no_performance_analysis")
    public func multiply(_ point: CurvePoint, by scalar: Region, into affine: Region) -> Bool {
        assert(scalar.byteCount == 32 && affine.byteCount == 64)
        return unsafe point.reading {
            unsafe secp_multiply(context, affine.octets, $0, scalar.octets) == 1
        }
    }

    /// `point *= scalar` for public scalars; false for a scalar outside 1...n-1.
    @_semantics("no_performance_analysis")
    public func multiplyVariableTime(_ point: inout CurvePoint, by scalar: Region) -> Bool {
        assert(scalar.byteCount == 32)
        return unsafe point.writing {
            unsafe secp256k1_ec_pubkey_tweak_mul(context, $0, scalar.octets) == 1
        }
    }

    /// `left + right`; false if the sum is the neutral point. Variable time in the points.
    @_semantics("no_performance_analysis")
    public func add(_ left: CurvePoint, _ right: CurvePoint, into sum: inout CurvePoint) -> Bool {
        unsafe left.reading { left in
            unsafe right.reading { right in
                unsafe sum.writing { unsafe secp_add(context, $0, left, right) == 1 }
            }
        }
    }

    /// `-point`.
    @_semantics("no_performance_analysis")
    public func negate(_ point: inout CurvePoint) -> Bool {
        unsafe point.writing { unsafe secp256k1_ec_pubkey_negate(context, $0) == 1 }
    }

    /// Reads 33 bytes; false if they are no point.
    @_semantics("no_performance_analysis")
    public func parse(compressed: Region, into point: inout CurvePoint) -> Bool {
        assert(compressed.byteCount == 33)
        return unsafe point.writing {
            unsafe secp_parse_compressed(context, $0, compressed.octets) == 1
        }
    }

    /// Reads x ‖ y; false if they are no point.
    @_semantics("no_performance_analysis")
    public func parse(affine: Region, into point: inout CurvePoint) -> Bool {
        assert(affine.byteCount == 64)
        return unsafe point.writing { unsafe secp_parse_affine(context, $0, affine.octets) == 1 }
    }

    /// Writes 33 bytes.
    @_semantics("no_performance_analysis")
    public func write(_ point: CurvePoint, compressed: Region) -> Bool {
        assert(compressed.byteCount == 33)
        return unsafe point.reading { unsafe secp_compressed(context, compressed.octets, $0) == 1 }
    }

    /// Writes x ‖ y.
    @_semantics("no_performance_analysis")
    public func write(_ point: CurvePoint, affine: Region) -> Bool {
        assert(affine.byteCount == 64)
        return unsafe point.reading { unsafe secp_affine(context, affine.octets, $0) == 1 }
    }
}

// Scalars modulo the group order, 32 bytes big-endian. All constant time.
extension Secp256k1 {
    /// `target += term`; false if a result or term is outside 1...n-1.
    @_semantics("no_performance_analysis")
    public func addScalar(_ term: Region, to target: Region) -> Bool {
        assert(term.byteCount == 32 && target.byteCount == 32)
        return unsafe secp256k1_ec_seckey_verify(context, term.octets) == 1
            && secp256k1_ec_seckey_tweak_add(context, target.octets, term.octets) == 1
    }

    /// `target *= factor`; false if one is outside 1...n-1.
    @_semantics("no_performance_analysis")
    public func multiplyScalar(_ factor: Region, into target: Region) -> Bool {
        assert(factor.byteCount == 32 && target.byteCount == 32)
        return unsafe secp256k1_ec_seckey_tweak_mul(context, target.octets, factor.octets) == 1
    }
}
