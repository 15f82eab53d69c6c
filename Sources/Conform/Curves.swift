internal import Bytes
internal import Crypto

/// One operation at a time, over bytes: the kernels as a checker uses them.
enum Curves {
    /// scalar · point on Ed25519's curve; nil if the point does not decode.
    static func multiply(_ point: Bytes32, by scalar: Bytes32) -> Bytes32? {
        var (point, scalar, result) = (point, scalar, Bytes32())
        let lanes = result.withRegion { out in
            point.withRegion { point in
                scalar.withRegion { scalar in
                    Kernels.edwardsMul(
                        Lanes(point),
                        scalar: Lanes(scalar),
                        out: Lanes(out),
                        live: 1
                    )
                }
            }
        }
        return lanes == 1 ? result : nil
    }

    /// scalar · B.
    static func multiplyBase(_ scalar: Bytes32) -> Bytes32 {
        var (scalar, result) = (scalar, Bytes32())
        result.withRegion { out in
            scalar.withRegion {
                Kernels.edwardsMulBase(scalar: Lanes($0), out: Lanes(out), live: 1)
            }
        }
        return result
    }

    /// Clamped and reduced.
    static func clamp(_ bytes: Bytes32) -> Bytes32 {
        var (bytes, result) = (bytes, Bytes32())
        result.withRegion { out in
            bytes.withRegion {
                Kernels.scalarClampReduce(Lanes($0), out: Lanes(out), live: 1)
            }
        }
        return result
    }

    /// One node's step; nil if alpha is no point.
    static func alphaStep(
        _ alpha: Bytes32,
        key: PacketKey
    ) -> (secret: Bytes32, next: Bytes32, neutral: Bool)? {
        var (alpha, secret, next) = (alpha, Bytes32(), Bytes32())
        let outcome = alpha.withRegion { alpha in
            secret.withRegion { secret in
                next.withRegion { next in
                    Kernels.alphaStep(
                        Lanes(alpha),
                        scalar: key.scalar,
                        publicKey: key.signingKey.slice(32, 32),
                        secret: Lanes(secret),
                        next: Lanes(next),
                        live: 1
                    )
                }
            }
        }
        return outcome.valid == 1 ? (secret, next, outcome.neutral == 1) : nil
    }

    /// ChaCha20 key stream; material is nonce 12 ‖ key 32.
    static func stream(_ material: [UInt8], count: Int) -> [UInt8] {
        var material = material
        var result = [UInt8](repeating: 0, count: count)
        result.withRegion { out in
            material.withRegion {
                Kernels.headerStream(
                    material: Lanes($0),
                    out: Lanes(out),
                    outBytes: count,
                    live: 1
                )
            }
        }
        return result
    }

    /// The header's MAC.
    static func headerMAC(_ header: [UInt8], key: [UInt8]) -> Bytes16 {
        var (header, key, result) = (header, key, Bytes16())
        let count = header.count
        result.withRegion { out in
            key.withRegion { key in
                header.withRegion {
                    Kernels.headerMAC(
                        key: Lanes(key),
                        Lanes($0),
                        count: count,
                        out: Lanes(out),
                        live: 1
                    )
                }
            }
        }
        return result
    }

    /// LIONESS over a block longer than 32 bytes.
    static func lioness(_ block: [UInt8], material: [UInt8], inverse: Bool) -> [UInt8] {
        var (block, material) = (block, material)
        let count = block.count
        block.withRegion { block in
            material.withRegion { material in
                if inverse {
                    Kernels.lionessInverse(
                        material: Lanes(material),
                        block: Lanes(block),
                        count: count,
                        live: 1
                    )
                } else {
                    Kernels.lionessForward(
                        material: Lanes(material),
                        block: Lanes(block),
                        count: count,
                        live: 1
                    )
                }
            }
        }
        return block
    }

    /// Own and acknowledging half-key of a secret.
    static func halfKeys(_ secret: Bytes32) -> (own: Bytes32, ack: Bytes32) {
        var (secret, own, ack) = (secret, Bytes32(), Bytes32())
        secret.withRegion { secret in
            own.withRegion { own in
                ack.withRegion {
                    Kernels.halfKeys(
                        secret: Lanes(secret),
                        own: Lanes(own),
                        ack: Lanes($0),
                        live: 1
                    )
                }
            }
        }
        return (own, ack)
    }

    /// scalar · G on secp256k1; nil for a scalar outside 1...n-1.
    static func generate(_ scalar: Bytes32) -> CurvePoint? {
        var scalar = scalar
        var point = CurvePoint()
        return scalar.withRegion({ Secp256k1.shared.multiplyBase($0, into: &point) })
            ? point : nil
    }

    /// scalar · point on secp256k1; nil for a scalar outside 1...n-1.
    static func multiply(_ point: CurvePoint, by scalar: Bytes32) -> CurvePoint? {
        var scalar = scalar
        var affine = Bytes64()
        let made = affine.withRegion { out in
            scalar.withRegion { Secp256k1.shared.multiply(point, by: $0, into: out) }
        }
        return made ? CurvePoint(affine: affine) : nil
    }

    /// a + b mod n; nil if a term or the sum is zero or too large.
    static func add(_ a: Bytes32, _ b: Bytes32) -> Bytes32? {
        var (a, b) = (a, b)
        let made = a.withRegion { a in
            b.withRegion { Secp256k1.shared.addScalar($0, to: a) }
        }
        return made ? a : nil
    }

    /// Address of own · G + hint; nil if the hint is no point.
    static func challenge(own: Bytes32, hint: Bytes33) -> Address? {
        guard let share = generate(own), let hint = CurvePoint(compressed: hint) else {
            return nil
        }
        var sum = CurvePoint()
        return Secp256k1.shared.add(share, hint, into: &sum) ? sum.address : nil
    }

    /// Makes a packet key from hex that may be wrong.
    static func packetKey(_ seed: Field) -> PacketKey? {
        seed.bytes(32).map { SecretBytes($0).withRegion { PacketKey(seed: $0) } }
    }

    /// Makes a chain key from hex that may be wrong.
    static func chainKey(_ secret: Field) -> ChainKey? {
        guard let bytes = secret.bytes(32) else { return nil }
        guard let key = SecretBytes(bytes).withRegion({ ChainKey(secret: $0) }) else {
            secret.fail("no scalar of secp256k1")
            return nil
        }
        return key
    }
}
