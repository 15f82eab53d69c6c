import Bytes
import Crypto
import TestSupport
import Testing
import Tickets

@Suite struct LuckTests {
    /// A sender runs the relay that a ticket is for. It knows the opening, chooses the response,
    /// and foresees every byte of the ticket that an honest node will write, but for the signature.
    @Test func `grinding the response gains nothing`() {
        var random = SeededGenerator("grinding", seed: 31)
        let (honest, cheat) = (random.key(), random.key())
        let channel = TicketDomain.channelID(source: honest.address, destination: cheat.address)
        let domain: Bytes32 = random.fixed()
        let opening: Bytes32 = random.fixed()
        let probability = WinProbability(0.25)!
        var (foreseen, won) = (0, 0)
        let rounds = 120
        for index in 0..<rounds {
            var ticket = Ticket(
                counterparty: cheat.address,
                amount: 100,
                index: UInt64(index),
                channelEpoch: 1,
                winProbability: probability,
                challenge: Address()
            )
            var response = Bytes32()
            // Without the signature inside, the cheat would try until this draw wins.
            for _ in 0..<64 {
                response = random.key().secretCopy
                var bytes = response
                var point = CurvePoint()
                _ = bytes.withRegion { Secp256k1.shared.multiplyBase($0, into: &point) }
                ticket.challenge = point.address
                let hash = ticket.hash(
                    channelID: channel,
                    domain: domain,
                    selector: headSelector
                )
                let guess = Luck.commitment(
                    hash: hash,
                    opening: opening,
                    response: response,
                    signature: Bytes64()
                )
                if probability.wins(guess) {
                    foreseen += 1
                    break
                }
            }
            ticket.sign(key: honest, channelID: channel, domain: domain, selector: headSelector)
            let hash = ticket.hash(channelID: channel, domain: domain, selector: headSelector)
            let luck = Luck.commitment(
                hash: hash,
                opening: opening,
                response: response,
                signature: ticket.signature
            )
            if probability.wins(luck) { won += 1 }
            // Nor can it exchange the response afterwards: one scalar opens the challenge.
            #expect(ProofOfRelay.opens(response, challenge: ticket.challenge))
            #expect(!ProofOfRelay.opens(random.key().secretCopy, challenge: ticket.challenge))
        }
        // The cheat believed it had won every one; a quarter it is.
        #expect(foreseen == rounds)
        #expect(won > rounds / 10 && won < rounds * 2 / 5)
    }

    @Test func `every part of the draw changes it`() {
        var random = SeededGenerator("draw", seed: 32)
        let hash: Bytes32 = random.fixed()
        let opening: Bytes32 = random.fixed()
        let response: Bytes32 = random.fixed()
        let signature: Bytes64 = random.fixed()
        let value: Bytes64 = random.fixed()
        var parity = signature
        parity[32] ^= 0x80
        let commitment = [
            Luck.commitment(hash: hash, opening: opening, response: response, signature: signature),
            Luck.commitment(
                hash: random.fixed(),
                opening: opening,
                response: response,
                signature: signature
            ),
            Luck.commitment(
                hash: hash,
                opening: random.fixed(),
                response: response,
                signature: signature
            ),
            Luck.commitment(
                hash: hash,
                opening: opening,
                response: random.fixed(),
                signature: signature
            ),
            Luck.commitment(hash: hash, opening: opening, response: response, signature: parity),
        ]
        let vrf = [
            Luck.vrf(hash: hash, value: value, response: response, signature: signature),
            Luck.vrf(hash: random.fixed(), value: value, response: response, signature: signature),
            Luck.vrf(hash: hash, value: random.fixed(), response: response, signature: signature),
            Luck.vrf(hash: hash, value: value, response: random.fixed(), signature: signature),
            Luck.vrf(hash: hash, value: value, response: response, signature: parity),
        ]
        #expect(Set(commitment + vrf).count == 10)
        #expect((commitment + vrf).allSatisfy { $0 < 1 << 56 })
    }

    @Test func `tickets of another ticket epoch fail as wrongly signed`() {
        var random = SeededGenerator("epoch", seed: 33)
        let (key, other) = (random.key(), random.key())
        let channel = TicketDomain.channelID(source: key.address, destination: other.address)
        let domain = TicketDomain.separator(chainID: 31337, contract: random.fixed())
        var ticket = random.ticket(to: other.address)
        let old = TicketDomain.separator(domain, ticketEpoch: 3)
        ticket.sign(key: key, channelID: channel, domain: old, selector: headSelector)
        #expect(
            ticket.isSigned(
                by: key.address,
                channelID: channel,
                domain: old,
                selector: headSelector
            )
        )
        let new = TicketDomain.separator(domain, ticketEpoch: 4)
        #expect(
            !ticket.isSigned(
                by: key.address,
                channelID: channel,
                domain: new,
                selector: headSelector
            )
        )
        #expect(
            !ticket.isSigned(
                by: key.address,
                channelID: channel,
                domain: domain,
                selector: headSelector
            )
        )
    }
}

@Suite struct VRFTests {
    let key: ChainKey
    let hash: Bytes32
    let domain: Bytes32
    let proof: VRFProof

    init() {
        var random = SeededGenerator("vrf", seed: 41)
        key = random.key()
        hash = random.fixed()
        domain = random.fixed()
        proof = VRF.prove(key: key, hash: hash, domain: domain)
    }

    func holds(_ proof: VRFProof) -> Bool {
        proof.verify(redeemer: key.address, hash: hash, domain: domain)
    }

    @Test func `a proof holds for its ticket and redeemer only`() {
        var random = SeededGenerator("vrf other", seed: 42)
        #expect(holds(proof))
        #expect(proof.value == VRF.value(key: key, hash: hash, domain: domain))
        #expect(!proof.verify(redeemer: key.address, hash: random.fixed(), domain: domain))
        #expect(!proof.verify(redeemer: key.address, hash: hash, domain: random.fixed()))
        #expect(!proof.verify(redeemer: random.key().address, hash: hash, domain: domain))
        #expect(VRFProof(proof.bytes) == proof)
        #expect(proof.bytes.count == VRFProof.byteCount)
        #expect(VRFProof(proof.bytes.dropLast()) == nil)
    }

    @Test func `any changed bit breaks the proof`() {
        let bytes = proof.bytes
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 1 << UInt8(position % 8)
            #expect(VRFProof(damaged).map(holds) != true, "byte \(position)")
        }
        #expect(!holds(VRFProof([UInt8](repeating: 0, count: 225))!))
        #expect(!holds(VRFProof([UInt8](repeating: 255, count: 225))!))
    }

    @Test func `another exponent with an honest-looking proof does not pass`() {
        var random = SeededGenerator("vrf grinding", seed: 43)
        // A redeemer who would like another V: the wire's part (h, s) alone would accept it.
        let other = random.key()
        let grind = VRF.forge(exponent: other, as: key, hash: hash, domain: domain)
        #expect(grind.value != proof.value)
        #expect(!holds(grind))
        // The same forgery with the right exponent holds: only the exponent is at fault.
        #expect(holds(VRF.forge(exponent: key, as: key, hash: hash, domain: domain)))
        var mixed = proof
        mixed.value = grind.value
        mixed.challenge = grind.challenge
        mixed.response = grind.response
        #expect(!holds(mixed))
        // Naming the other key instead shows another address.
        var named = grind
        named.publicKey = other.publicKey
        #expect(!holds(named))
    }
}

extension VRF {
    /// What a cheat can do: another exponent behind V, a flawless first part, the binding as good
    /// as it gets.
    fileprivate static func forge(
        exponent: ChainKey,
        as redeemer: ChainKey,
        hash: Bytes32,
        domain: Bytes32
    ) -> VRFProof {
        func scalar(_ message: [UInt8]) -> Bytes32 {
            Hash.scalarReduce48(Hash.expandKeccak(message, domain: domain.array, count: 48))
        }
        func multiply(_ point: Bytes64, _ key: ChainKey) -> Bytes64 {
            var result = Bytes64()
            let made = result.withRegion {
                Secp256k1.shared.multiply(
                    must(CurvePoint(affine: point)),
                    by: key.secretScalar,
                    into: $0
                )
            }
            precondition(made)
            return result
        }
        func respond(_ nonce: ChainKey, _ challenge: Bytes32) -> Bytes32 {
            var result = challenge
            let made = result.withRegion {
                Secp256k1.shared.multiplyScalar(exponent.secretScalar, into: $0)
                    && Secp256k1.shared.addScalar(nonce.secretScalar, to: $0)
            }
            precondition(made)
            return result
        }
        let base = base(redeemer: redeemer.address, hash: hash, domain: domain)
        let value = multiply(base, exponent)
        let nonce = ChainKey.random()
        let commitment = multiply(base, nonce)
        let challenge = scalar(
            redeemer.address.array + value.array + commitment.array + hash.array
        )
        let bindingNonce = ChainKey.random()
        var message = Array("DRAY_VRF_BINDING".utf8) + redeemer.affine.array
        message += base.array + value.array + bindingNonce.affine.array
        let binding = scalar(message + multiply(base, bindingNonce).array + hash.array)
        return must(
            VRFProof(
                value.array + challenge.array + respond(nonce, challenge).array
                    + redeemer.publicKey.array + binding.array
                    + respond(bindingNonce, binding).array
            )
        )
    }
}
