public import Bytes
public import Crypto

/// The verifiable random function that decides tickets under the VRF rule.
///
///     B = hash_to_curve(redeemer address ‖ ticket hash, domain)
///     V = a · B, where a is the redeemer's chain key
///
/// HOPR's proof (h, s) shows that somebody knows log_B V, not that it is the redeemer's key: a
/// redeemer could try other exponents until V wins. So a proof here carries a second part, (A, c,
/// z), after Chaum and Pedersen: one and the same a stands behind A = a · G and V = a · B, and A
/// has the redeemer's address.
///
///     R = r · B, h = H(address ‖ V ‖ R ‖ ticket hash), s = r + h·a
///     K = k · G, L = k · B, z = k + c·a,
///     c = H("DRAY_VRF_BINDING" ‖ A ‖ B ‖ V ‖ K ‖ L ‖ ticket hash)
///
/// Points are x ‖ y; H is expand_message_xmd with Keccak-256 to 48 bytes, modulo n, under the
/// domain.
public enum VRF {
    /// The base point B as x ‖ y.
    public static func base(redeemer: Address, hash: Bytes32, domain: Bytes32) -> Bytes64 {
        Hash.hashToCurve(redeemer.array + hash.array, domain: domain.array)
    }

    /// V as x ‖ y: all that luck needs. Constant time in the key.
    public static func value(key: ChainKey, hash: Bytes32, domain: Bytes32) -> Bytes64 {
        let base = base(redeemer: key.address, hash: hash, domain: domain)
        return key.withSecretScalar { multiply(base, by: $0) }
    }

    /// V with its proof; `entropy` is 64 fresh random bytes.
    public static func prove(
        key: ChainKey,
        hash: Bytes32,
        domain: Bytes32,
        entropy: [UInt8] = Random.bytes(64)
    ) -> VRFProof {
        let base = base(redeemer: key.address, hash: hash, domain: domain)
        let value = key.withSecretScalar { multiply(base, by: $0) }

        let nonce = nonce(key, value, entropy, tag: [], domain)
        let commitment = nonce.withRegion { multiply(base, by: $0) }
        let challenge = challenge(key.address, value, commitment, hash, domain)

        let bindingNonce = self.nonce(key, value, entropy, tag: bindingTag, domain)
        var left = CurvePoint()
        let made = bindingNonce.withRegion { Secp256k1.shared.multiplyBase($0, into: &left) }
        precondition(made)
        let right = bindingNonce.withRegion { multiply(base, by: $0) }
        let bindingChallenge = bindingChallenge(
            publicKey: key.affine,
            base: base,
            value: value,
            left: left.affine,
            right: right,
            hash: hash,
            domain: domain
        )
        return VRFProof(
            value: value,
            challenge: challenge,
            response: respond(nonce, challenge, key),
            publicKey: key.publicKey,
            bindingChallenge: bindingChallenge,
            bindingResponse: respond(bindingNonce, bindingChallenge, key)
        )
    }
}

// The pieces of a proof.
extension VRF {
    static let bindingTag = Array("DRAY_VRF_BINDING".utf8)

    static func challenge(
        _ redeemer: Address,
        _ value: Bytes64,
        _ commitment: Bytes64,
        _ hash: Bytes32,
        _ domain: Bytes32
    ) -> Bytes32 {
        scalar(redeemer.array + value.array + commitment.array + hash.array, domain)
    }

    static func bindingChallenge(
        publicKey: Bytes64,
        base: Bytes64,
        value: Bytes64,
        left: Bytes64,
        right: Bytes64,
        hash: Bytes32,
        domain: Bytes32
    ) -> Bytes32 {
        var message = bindingTag + publicKey.array + base.array + value.array
        message += left.array + right.array + hash.array
        return scalar(message, domain)
    }

    // H(private key ‖ V ‖ entropy ‖ tag): the tag keeps the two nonces apart.
    private static func nonce(
        _ key: ChainKey,
        _ value: Bytes64,
        _ entropy: [UInt8],
        tag: [UInt8],
        _ domain: Bytes32
    ) -> SecretBytes {
        precondition(entropy.count == 64)
        let nonce = SecretBytes(count: 32)
        var domain = domain
        SecretBytes(count: 160 + tag.count).withRegion { message in
            key.withSecretScalar { message.copy($0, to: 0) }
            message.store(value, 32)
            message.store(bytes: entropy, 96)
            message.store(bytes: tag, 160)
            nonce.withRegion { nonce in
                domain.withRegion { Hash.scalarKeccak(message, domain: $0, into: nonce) }
            }
        }
        return nonce
    }

    // nonce + challenge · key.
    private static func respond(
        _ nonce: SecretBytes,
        _ challenge: Bytes32,
        _ key: ChainKey
    ) -> Bytes32 {
        var result = challenge
        let made = result.withRegion { result in
            key.withSecretScalar { Secp256k1.shared.multiplyScalar($0, into: result) }
                && nonce.withRegion { Secp256k1.shared.addScalar($0, to: result) }
        }
        precondition(made, "a scalar is zero: chance below 2^-250")
        return result
    }

    /// H: 48 bytes of expand_message_xmd with Keccak-256, modulo n.
    private static func scalar(_ message: [UInt8], _ domain: Bytes32) -> Bytes32 {
        var (message, domain, result) = (message, domain, Bytes32())
        message.withRegion { message in
            domain.withRegion { domain in
                result.withRegion { Hash.scalarKeccak(message, domain: domain, into: $0) }
            }
        }
        return result
    }

    static func multiply(_ affine: Bytes64, by scalar: Region) -> Bytes64 {
        guard let point = CurvePoint(affine: affine) else { preconditionFailure("no point") }
        var result = Bytes64()
        let made = result.withRegion { Secp256k1.shared.multiply(point, by: scalar, into: $0) }
        precondition(made, "no scalar")
        return result
    }
}
