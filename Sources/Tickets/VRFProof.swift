public import Bytes
internal import Crypto

/// V of a ticket, and that it is the redeemer's: 225 bytes.
public struct VRFProof: BitwiseCopyable, Sendable, Equatable {
    /// V as x ‖ y.
    public var value: Bytes64
    /// h of HOPR's proof.
    public var challenge: Bytes32
    /// s of HOPR's proof.
    public var response: Bytes32
    /// A: the redeemer's public key.
    public var publicKey: Bytes33
    /// c, binding V to A.
    public var bindingChallenge: Bytes32
    /// z, binding V to A.
    public var bindingResponse: Bytes32

    /// Bytes on the wire: V 64 ‖ h 32 ‖ s 32 ‖ A 33 ‖ c 32 ‖ z 32.
    public static let byteCount = 225

    init(
        value: Bytes64,
        challenge: Bytes32,
        response: Bytes32,
        publicKey: Bytes33,
        bindingChallenge: Bytes32,
        bindingResponse: Bytes32
    ) {
        self.value = value
        self.challenge = challenge
        self.response = response
        self.publicKey = publicKey
        self.bindingChallenge = bindingChallenge
        self.bindingResponse = bindingResponse
    }

    /// Reads 225 bytes; nothing is checked but their number.
    public init?(_ bytes: [UInt8]) {
        guard var copy = FixedBytes<225>(bytes) else { return nil }
        self = copy.withRegion { bytes in
            VRFProof(
                value: bytes.load(0),
                challenge: bytes.load(64),
                response: bytes.load(96),
                publicKey: bytes.load(128),
                bindingChallenge: bytes.load(161),
                bindingResponse: bytes.load(193)
            )
        }
    }

    /// The proof's 225 bytes.
    public var bytes: [UInt8] {
        value.array + challenge.array + response.array + publicKey.array + bindingChallenge.array
            + bindingResponse.array
    }

    /// True if V belongs to the ticket, the redeemer and its key: then luck drawn with it is fair.
    public func verify(redeemer: Address, hash: Bytes32, domain: Bytes32) -> Bool {
        let base = VRF.base(redeemer: redeemer, hash: hash, domain: domain)
        guard let publicPoint = CurvePoint(compressed: publicKey),
            publicPoint.address == redeemer,
            let basePoint = CurvePoint(affine: base),
            let valuePoint = CurvePoint(affine: value)
        else { return false }
        // R = s·B - h·V
        guard
            let commitment = difference(response, basePoint, challenge, valuePoint),
            VRF.challenge(redeemer, value, commitment.affine, hash, domain) == challenge
        else { return false }
        // K = z·G - c·A, L = z·B - c·V
        guard let generated = generated(bindingResponse),
            let left = difference(generated, bindingChallenge, publicPoint),
            let right = difference(bindingResponse, basePoint, bindingChallenge, valuePoint)
        else { return false }
        return VRF.bindingChallenge(
            publicKey: publicPoint.affine,
            base: base,
            value: value,
            left: left.affine,
            right: right.affine,
            hash: hash,
            domain: domain
        ) == bindingChallenge
    }

    /// The points s·B and h·V that HOPR's contract wants beside the proof, each x ‖ y; nil if the
    /// proof is no proof.
    public func witnesses(
        redeemer: Address,
        hash: Bytes32,
        domain: Bytes32
    ) -> (responseBase: Bytes64, challengeValue: Bytes64)? {
        let base = VRF.base(redeemer: redeemer, hash: hash, domain: domain)
        guard let basePoint = CurvePoint(affine: base),
            let valuePoint = CurvePoint(affine: value),
            let responseBase = product(response, basePoint),
            let challengeValue = product(challenge, valuePoint)
        else { return nil }
        return (responseBase.affine, challengeValue.affine)
    }

    // Everything below is public, so variable time will do.

    private func product(_ scalar: Bytes32, _ point: CurvePoint) -> CurvePoint? {
        var (scalar, point) = (scalar, point)
        let made = scalar.withRegion { Secp256k1.shared.multiplyVariableTime(&point, by: $0) }
        return made ? point : nil
    }

    private func generated(_ scalar: Bytes32) -> CurvePoint? {
        var (scalar, point) = (scalar, CurvePoint())
        let made = scalar.withRegion { Secp256k1.shared.multiplyBase($0, into: &point) }
        return made ? point : nil
    }

    private func difference(
        _ plus: Bytes32,
        _ left: CurvePoint,
        _ minus: Bytes32,
        _ right: CurvePoint
    ) -> CurvePoint? {
        guard let left = product(plus, left) else { return nil }
        return difference(left, minus, right)
    }

    private func difference(
        _ left: CurvePoint,
        _ minus: Bytes32,
        _ right: CurvePoint
    ) -> CurvePoint? {
        var result = CurvePoint()
        guard var right = product(minus, right),
            Secp256k1.shared.negate(&right),
            Secp256k1.shared.add(left, right, into: &result)
        else { return nil }
        return result
    }
}
