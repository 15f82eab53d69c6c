import Bytes
import CSecp256k1
import Crypto
import TestSupport
import Testing
import Tickets

/// n, big-endian.
private let order = must(
    Bytes32(hex: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
)
/// n / 2, rounded down: the largest s of the lower half.
private let half = must(
    Bytes32(hex: "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")
)

private func parts(_ signature: Bytes64) -> (r: [UInt8], s: [UInt8], parity: UInt8) {
    var s = Array(signature.array[32...])
    let parity = s[0] >> 7
    s[0] &= 0x7f
    return (Array(signature.array[..<32]), s, parity)
}

private func signature(r: [UInt8], s: [UInt8], parity: UInt8) -> Bytes64 {
    var s = s
    s[0] |= parity << 7
    return must(Bytes64(r + s))
}

private func minus(_ s: [UInt8]) -> [UInt8] {
    var difference = [UInt8](repeating: 0, count: 32)
    var borrow = 0
    for index in stride(from: 31, through: 0, by: -1) {
        let value = Int(order[index]) - Int(s[index]) - borrow
        difference[index] = UInt8(truncatingIfNeeded: value)
        borrow = value < 0 ? 1 : 0
    }
    return difference
}

@Suite struct SignatureTests {
    let key: ChainKey
    let hash: Bytes32
    let good: Bytes64

    init() {
        var random = SeededGenerator("signatures", seed: 11)
        key = random.key()
        hash = random.fixed()
        good = key.sign(hash: hash)
    }

    func signer(_ signature: Bytes64) -> Address? {
        Secp256k1.signer(hash: hash, signature: signature)
    }

    @Test func `a signature recovers to its signer and has a low s`() {
        #expect(signer(good) == key.address)
        #expect(Bytes32(parts(good).s)! <= half)
        #expect(key.sign(hash: hash) == good)
    }

    @Test func `a flipped parity bit is another signer`() {
        let (r, s, parity) = parts(good)
        let flipped = signature(r: r, s: s, parity: parity ^ 1)
        #expect(signer(flipped) != key.address)
        // Plain ECDSA cannot tell, which is why it does not judge tickets.
        var (hash, flippedCopy) = (hash, flipped)
        let verified = hash.withRegion { hash in
            flippedCopy.withRegion {
                Secp256k1.shared.verifyVariableTime(
                    hash: hash,
                    signature: $0,
                    signer: CurvePoint(affine: key.affine)!
                )
            }
        }
        #expect(verified)
    }

    @Test func `a sound signature with s in the upper half is refused`() {
        // Between n/2 and 2^255 a high s fits the format. Nobody meets one by chance, so the hash
        // is made for it: r and s are chosen, and hash = s·k - r·d.
        var random = SeededGenerator("high s", seed: 16)
        let nonce = random.key()
        let s = [0x7f] + [UInt8](repeating: 0xff, count: 31)
        let r = Array(nonce.affine.array[..<32])
        var product = must(Bytes32(r))
        var made = must(Bytes32(s))
        let computed = made.withRegion { made in
            product.withRegion { product in
                let curve = Secp256k1.shared
                return key.withSecretScalar { curve.multiplyScalar($0, into: product) }
                    && nonce.withSecretScalar { curve.multiplyScalar($0, into: made) }
            }
        }
        #expect(computed)
        var negative = must(Bytes32(minus(product.array)))
        let added = made.withRegion { made in
            negative.withRegion { Secp256k1.shared.addScalar($0, to: made) }
        }
        #expect(added)
        let high = signature(r: r, s: s, parity: nonce.affine[63] & 1)
        #expect(libraryRecover(made, high, lowOnly: false) == key.address)
        #expect(Secp256k1.signer(hash: made, signature: high) == nil)
    }

    @Test func `the border of the lower half is exact`() {
        let (r, _, parity) = parts(good)
        var above = half.array
        above[31] += 1
        #expect(signer(signature(r: r, s: half.array, parity: parity)) != nil)
        #expect(signer(signature(r: r, s: above, parity: parity)) == nil)
        #expect(
            signer(signature(r: r, s: [0x7f] + Array(repeating: 255, count: 31), parity: 0)) == nil
        )
    }

    @Test func `zero and too large parts are refused`() {
        let (r, s, parity) = parts(good)
        let zero = [UInt8](repeating: 0, count: 32)
        let ones = [UInt8](repeating: 255, count: 32)
        #expect(signer(signature(r: zero, s: s, parity: parity)) == nil)
        #expect(signer(signature(r: r, s: zero, parity: parity)) == nil)
        #expect(signer(signature(r: order.array, s: s, parity: parity)) == nil)
        #expect(signer(signature(r: ones, s: s, parity: parity)) == nil)
        #expect(signer(signature(r: zero, s: zero, parity: 0)) == nil)
        #expect(signer(Bytes64()) == nil)
        #expect(signer(signature(r: order.array, s: order.array, parity: 0)) == nil)
    }

    @Test func `a small r falls back to the point beyond n`() {
        // r = 2: x = 2 or x = n + 2. Whatever comes out must agree with the library's own answer.
        var r = [UInt8](repeating: 0, count: 32)
        for small in 1...40 as ClosedRange<UInt8> {
            r[31] = small
            for parity in 0...1 as ClosedRange<UInt8> {
                let candidate = signature(r: r, s: parts(good).s, parity: parity)
                #expect(signer(candidate) == libraryRecover(hash, candidate))
            }
        }
    }

    @Test func `another signer's ticket is not the issuer's`() {
        var random = SeededGenerator("other signer", seed: 12)
        let other = random.key()
        #expect(signer(other.sign(hash: hash)) == other.address)
        #expect(signer(other.sign(hash: hash)) != key.address)
    }

    @Test func `recovery agrees with plain verification on random damage`() {
        var random = SeededGenerator("damage", seed: 13)
        for _ in 0..<300 {
            var candidate = good
            for _ in 0...(random.next() % 2) {
                candidate[Int(random.next() % 64)] ^= UInt8(1) << UInt8(random.next() % 8)
            }
            let recovered = signer(candidate)
            #expect(recovered == libraryRecover(hash, candidate))
            if recovered == key.address { #expect(libraryVerify(candidate)) }
            if libraryVerify(candidate), parts(candidate).parity == parts(good).parity {
                #expect(recovered == key.address)
            }
        }
    }

    @Test func `keys outside the group order are refused`() {
        for bytes in [Bytes32(), order, Bytes32([UInt8](repeating: 255, count: 32))!] {
            var bytes = bytes
            #expect(bytes.withRegion { ChainKey(secret: $0) } == nil)
            #expect(bytes.withRegion { Secp256k1.shared.isScalar($0) } == false)
            #expect(ProofOfRelay.hint(of: bytes) == nil)
            #expect(ProofOfRelay.response(own: key.secretCopy, ack: bytes) == nil)
            #expect(ProofOfRelay.response(own: bytes, ack: key.secretCopy) == nil)
        }
        // own + ack = 0: no response.
        let opposite = Bytes32(minus(key.secretCopy.array))!
        #expect(ProofOfRelay.response(own: key.secretCopy, ack: opposite) == nil)
        // own·G + hint is the neutral point: no challenge.
        #expect(
            ProofOfRelay.challenge(
                own: key.secretCopy,
                hint: ProofOfRelay.hint(of: opposite)!
            ) == nil
        )
    }

    @Test func `misuse of an empty point fails instead of ending the process`() {
        var (empty, sum, bytes) = (CurvePoint(), CurvePoint(), Bytes33())
        let curve = Secp256k1.shared
        #expect(curve.add(empty, empty, into: &sum) == false)
        #expect(bytes.withRegion { curve.write(empty, compressed: $0) } == false)
        #expect(curve.negate(&empty) == false)
    }

    @Test func `only compressed and uncompressed points of the curve parse`() {
        #expect(CurvePoint(compressed: key.publicKey) != nil)
        for prefix in [0, 1, 4, 5, 6, 7, 255] as [UInt8] {
            var bytes = key.publicKey
            bytes[0] = prefix
            #expect(CurvePoint(compressed: bytes) == nil)
        }
        // x = p is no coordinate, x = 5 is on no point.
        #expect(
            CurvePoint(
                compressed: Bytes33(
                    hex: "02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
                )!
            )
                == nil
        )
        #expect(
            CurvePoint(compressed: Bytes33([2] + [UInt8](repeating: 0, count: 31) + [5])!) == nil
        )
        var affine = key.affine
        affine[63] ^= 1
        #expect(CurvePoint(affine: affine) == nil)
    }

    @Test func `a context in the caller's memory signs and recovers alike`() {
        let memory = Memory(Secp256k1.byteCount)
        let curve = Secp256k1(in: memory.region)
        var (hash, signature, point) = (hash, Bytes64(), CurvePoint())
        for round in 0..<2 {
            if round == 1 {
                var seed = hash
                seed.withRegion { curve.randomise(seed: $0) }
            }
            let signed = hash.withRegion { hash in
                signature.withRegion { curve.sign(hash: hash, key: key.secretScalar, into: $0) }
            }
            #expect(signed && signature == good)
            let found = hash.withRegion { hash in
                signature.withRegion {
                    curve.recoverVariableTime(hash: hash, signature: $0, into: &point)
                }
            }
            #expect(found && point.address == key.address)
        }
    }

    // The library, asked directly.

    private func libraryVerify(_ candidate: Bytes64) -> Bool {
        let (r, s, _) = parts(candidate)
        let context = must(secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)))
        defer { secp256k1_context_destroy(context) }
        var parsed = secp256k1_ecdsa_signature()
        var point = secp256k1_pubkey()
        guard secp256k1_ecdsa_signature_parse_compact(context, &parsed, r + s) == 1,
            secp256k1_ec_pubkey_parse(context, &point, key.publicKey.array, 33) == 1
        else { return false }
        return secp256k1_ecdsa_verify(context, &parsed, hash.array, &point) == 1
    }

    private func libraryRecover(
        _ hash: Bytes32,
        _ candidate: Bytes64,
        lowOnly: Bool = true
    ) -> Address? {
        let (r, s, parity) = parts(candidate)
        if lowOnly, must(Bytes32(s)) > half { return nil }
        let context = must(secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)))
        defer { secp256k1_context_destroy(context) }
        for id in [Int32(parity), Int32(parity) | 2] {
            var parsed = secp256k1_ecdsa_recoverable_signature()
            var point = secp256k1_pubkey()
            guard
                secp256k1_ecdsa_recoverable_signature_parse_compact(
                    context,
                    &parsed,
                    r + s,
                    id
                ) == 1,
                secp256k1_ecdsa_recover(context, &point, &parsed, hash.array) == 1
            else { continue }
            var bytes = [UInt8](repeating: 0, count: 65)
            var count = 65
            secp256k1_ec_pubkey_serialize(
                context,
                &bytes,
                &count,
                &point,
                UInt32(SECP256K1_EC_UNCOMPRESSED)
            )
            return Address(Hash.keccak256(Array(bytes[1...])).array.suffix(20))
        }
        return nil
    }
}

extension ChainKey {
    /// The secret, for tests.
    var secretCopy: Bytes32 { withSecretScalar { $0.load(0) } }
}
