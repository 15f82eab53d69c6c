import Bytes
import CSodium
import Crypto
import TestSupport
import Testing
import Tickets

@Suite struct AcknowledgementTests {
    @Test func `a text with its count is read, whatever follows`() {
        let memory = Memory(1038)
        let text = memory.region
        for count in [0, 1, 10] {
            let entries = Acknowledgements.begin(text, count: count)
            #expect(entries.count == count)
            let size = Acknowledgements.textBytes(count: count)
            #expect(Acknowledgements.parse(text.slice(0, size))?.count == count)
            #expect(Acknowledgements.parse(text)?.count == count)
            if count > 0 { #expect(Acknowledgements.parse(text.slice(0, size - 1)) == nil) }
        }
        #expect(Acknowledgements.parse(text.slice(0, 0)) == nil)
        #expect(Acknowledgements.parse(text.slice(0, 1)) == nil)
        text.storeBigEndian(11, 0, count: 2)
        #expect(Acknowledgements.parse(text) == nil)
        text.storeBigEndian(0xffff, 0, count: 2)
        #expect(Acknowledgements.parse(text) == nil)
    }

    @Test func `only the lanes that were signed by the peer pass`() {
        var random = SeededGenerator("acks")
        let memory = Memory(2 + 33 * 96)
        let entries = Acknowledgements.begin(memory.region, count: 33)
        let keys = Memory(33 * 32)
        let halfKeys: Column<Bytes32> = keys.region.column(0, count: 33)
        for lane in 0..<33 { halfKeys[lane] = random.fixed() }
        let (peer, stranger) = (PacketKey.random(), PacketKey.random())
        let others = randomMask(&random, count: 33)
        let lanes = LaneMask.first(33)
        Acknowledgements.make(
            halfKeys: halfKeys,
            signingKey: stranger.signingKey,
            lanes: others,
            into: entries
        )
        Acknowledgements.make(
            halfKeys: halfKeys,
            signingKey: peer.signingKey,
            lanes: lanes & ~others,
            into: entries
        )
        let mask = randomMask(&random, count: 33)
        let signerMemory = Memory(33 * 32)
        let signers: Column<Bytes32> = signerMemory.region.column(0, count: 33)
        for lane in 0..<33 { signers[lane] = peer.publicKey }
        let good = Acknowledgements.verifyVariableTime(
            entries,
            signers: signers,
            tables: .none,
            lanes: mask
        )
        #expect(good == mask & ~others, "seed \(random.seed)")
        for lane in 0..<33 {
            let single = Acknowledgements.isSigned(entries[lane], by: peer.publicKey)
            #expect(single == !others.contains(lane))
            #expect(Acknowledgements.halfKey(entries[lane]) == halfKeys[lane])
        }
    }

    @Test func `half-keys outside the group order have no hint`() {
        let bench = Bench()
        let key = PacketKey.random()
        bench.acknowledgements[0] = Acknowledgements.make(halfKey: Bytes32(), key: key)
        bench.acknowledgements[1] = Acknowledgements.make(
            halfKey: Bytes32([UInt8](repeating: 255, count: 32))!,
            key: key
        )
        var one = Bytes32()
        one[31] = 1
        bench.acknowledgements[2] = Acknowledgements.make(halfKey: one, key: key)
        #expect(bench.lanes.hints(of: bench.acknowledgements, lanes: 7, into: bench.hints) == 4)
        // 1 · G.
        #expect(
            bench.hints[2].hex
                == "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        )
        bench.own[0] = one
        bench.own[1] = one
        bench.own[2] = one
        let answered = bench.lanes.responses(
            ownHalfKeys: bench.own,
            acknowledgements: bench.acknowledgements,
            lanes: 7,
            into: bench.responses
        )
        #expect(answered == 4)
    }
}

/// Ed25519 as strict as the network's: no small orders, nothing written non-canonically.
@Suite struct StrictSignatureTests {
    /// Small-order points, canonical and not, with and without the sign bit.
    static let smallOrder = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ]
    /// The group order, little-endian.
    static let order = must(
        Hex.decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
    )

    @Test(arguments: smallOrder)
    func `a small-order key or R is refused even where the equation holds`(point: String) {
        let point = Bytes32(hex: point)!
        let key = PacketKey.random()
        // R = A = the point, s = 0: the equation holds for some messages if orders allow.
        for round in 0..<16 {
            let message = [UInt8(round)]
            let forged = Bytes64(point.array + [UInt8](repeating: 0, count: 32))!
            #expect(!Ed25519.verify(message, signature: forged, signer: point))
            #expect(!Ed25519.verify(message, signature: forged, signer: key.publicKey))
            var mixed = key.sign(message)
            for index in 0..<32 { mixed[index] = point[index] }
            #expect(!Ed25519.verify(message, signature: mixed, signer: key.publicKey))
            #expect(!Ed25519.verify(message, signature: key.sign(message), signer: point))
        }
    }

    @Test func `s plus the group order is refused`() {
        let key = PacketKey.random()
        let message = Array("strict".utf8)
        let good = key.sign(message)
        #expect(Ed25519.verify(message, signature: good, signer: key.publicKey))
        var raised = good
        var carry = 0
        for index in 0..<32 {
            let sum = Int(good[32 + index]) + Int(Self.order[index]) + carry
            raised[32 + index] = UInt8(truncatingIfNeeded: sum)
            carry = sum >> 8
        }
        #expect(carry == 0)
        #expect(!Ed25519.verify(message, signature: raised, signer: key.publicKey))
    }

    @Test func `any changed bit is refused`() {
        var random = SeededGenerator("ed25519 damage", seed: 14)
        let key = packetKey(random.fixed())
        let message = random.bytes(32)
        let good = key.sign(message)
        for bit in 0..<512 {
            var damaged = good
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Ed25519.verify(message, signature: damaged, signer: key.publicKey))
        }
        for bit in 0..<256 {
            var other = key.publicKey
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Ed25519.verify(message, signature: good, signer: other))
        }
    }

    @Test func `a torsion component in R is seen: the equation is the one without the cofactor`() {
        // R' = R + T, T of order 8, s made for the hash over R': holds only times the cofactor.
        var random = SeededGenerator("torsion", seed: 15)
        let key = packetKey(random.fixed())
        let message = random.bytes(20)
        var nonce = random.bytes(64)
        var reduced = [UInt8](repeating: 0, count: 32)
        crypto_core_ed25519_scalar_reduce(&reduced, nonce)
        nonce = reduced
        let torsion = Hex.decode(Self.smallOrder[6])!
        var plain = [UInt8](repeating: 0, count: 32)
        crypto_scalarmult_ed25519_base_noclamp(&plain, nonce)
        for shifted in [false, true] {
            var r = plain
            if shifted {
                // libsodium's addition takes any point of the curve.
                #expect(crypto_core_ed25519_add(&r, plain, torsion) == 0)
            }
            var digest = [UInt8](repeating: 0, count: 64)
            crypto_hash_sha512(
                &digest,
                r + key.publicKey.array + message,
                UInt64(64 + message.count)
            )
            var (h, product, s) = (reduced, reduced, reduced)
            crypto_core_ed25519_scalar_reduce(&h, digest)
            crypto_core_ed25519_scalar_mul(&product, h, key.scalar.array)
            crypto_core_ed25519_scalar_add(&s, nonce, product)
            let signature = Bytes64(r + s)!
            #expect(
                Ed25519.verify(message, signature: signature, signer: key.publicKey) == !shifted
            )
        }
    }
}
