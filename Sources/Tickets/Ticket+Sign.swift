public import Bytes
public import Crypto

// One ticket at a time, for the control plane; `TicketLanes` does the same for batches.
extension Ticket {
    /// The hash that is signed.
    ///
    /// - Parameters:
    ///   - domain: `dst`, or `dst'` in a channel under the commitment rule.
    ///   - selector: first four bytes of the hashed call, big-endian.
    public func hash(channelID: Bytes32, domain: Bytes32, selector: UInt32) -> Bytes32 {
        var values = FixedBytes<28>()
        values.withRegion { writeValues(to: $0) }
        let inner = Hash.keccak256(channelID.array + values.array + challenge.array)
        var call = [UInt8](repeating: 0, count: 32)
        for index in 0..<4 {
            call[index] = UInt8(truncatingIfNeeded: selector >> UInt32(24 - 8 * index))
        }
        let outer = Hash.keccak256(call + inner.array)
        return Hash.keccak256([0x19, 0x01] + domain.array + outer.array)
    }

    /// Signs with the issuer's key.
    public mutating func sign(
        key: ChainKey,
        channelID: Bytes32,
        domain: Bytes32,
        selector: UInt32,
        nonces: NonceRule = .rfc6979
    ) {
        signature = key.sign(
            hash: hash(channelID: channelID, domain: domain, selector: selector),
            nonces: nonces
        )
    }

    /// True if `issuer` signed: the channel's source.
    public func isSigned(
        by issuer: Address,
        channelID: Bytes32,
        domain: Bytes32,
        selector: UInt32
    ) -> Bool {
        Secp256k1.signer(
            hash: hash(channelID: channelID, domain: domain, selector: selector),
            signature: signature
        ) == issuer
    }
}

// Half-keys, one at a time.
extension ProofOfRelay {
    /// `half-key · G`: what a packet's acknowledgement is known by; nil outside 1...n-1.
    public static func hint(of halfKey: Bytes32) -> Bytes33? {
        var (halfKey, point) = (halfKey, CurvePoint())
        let made = halfKey.withRegion { Secp256k1.shared.multiplyBase($0, into: &point) }
        return made ? point.compressed : nil
    }

    /// `own + ack mod n`; nil if one is outside 1...n-1 or the sum is zero.
    public static func response(own: Bytes32, ack: Bytes32) -> Bytes32? {
        var (sum, term) = (own, ack)
        let made = sum.withRegion { sum in
            term.withRegion {
                Secp256k1.shared.addScalar($0, to: sum)
            }
        }
        return made ? sum : nil
    }

    /// The challenge of the ticket that `own` and the half-key behind `hint` will redeem; nil for a
    /// hint or half-key that is none.
    public static func challenge(own: Bytes32, hint: Bytes33) -> Address? {
        var (own, point, sum) = (own, CurvePoint(), CurvePoint())
        let made = own.withRegion { Secp256k1.shared.multiplyBase($0, into: &point) }
        guard made, let other = CurvePoint(compressed: hint),
            Secp256k1.shared.add(point, other, into: &sum)
        else { return nil }
        return sum.address
    }

    /// True if the response opens the challenge.
    public static func opens(_ response: Bytes32, challenge: Address) -> Bool {
        var response = response
        return response.withRegion {
            opens($0, challenge: challenge, curve: Secp256k1.shared)
        }
    }
}

extension Acknowledgements {
    /// Makes one.
    public static func make(halfKey: Bytes32, key: PacketKey) -> Acknowledgement {
        var (halfKey, result) = (halfKey, Acknowledgement())
        halfKey.withRegion { halfKey in
            result.withRegion { make(halfKey: halfKey, signingKey: key.signingKey, into: $0) }
        }
        return result
    }

    /// True if the node with this packet key made it.
    public static func isSigned(_ acknowledgement: Acknowledgement, by signer: Bytes32) -> Bool {
        var (acknowledgement, signer) = (acknowledgement, signer)
        return acknowledgement.withRegion { bytes in
            signer.withRegion {
                Ed25519.verifyVariableTime(
                    bytes.slice(0, 32),
                    signature: bytes.slice(32, 64),
                    signer: $0
                )
            }
        }
    }

    /// The half-key inside.
    public static func halfKey(_ acknowledgement: Acknowledgement) -> Bytes32 {
        var acknowledgement = acknowledgement
        return acknowledgement.withRegion { $0.load(0) }
    }
}
