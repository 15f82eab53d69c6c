import Bytes
import Crypto
import TestSupport
import Testing
import Tickets

/// A batch gives what its packets would get alone, for every mix of good and bad.
@Suite struct BatchTests {
    /// Fills the bench with tickets of which a random half is damaged in some way; returns who is
    /// good.
    private func fill(_ bench: Bench, _ random: inout SeededGenerator) -> LaneMask {
        let keys = (0..<4).map { _ in random.key() }
        var good: LaneMask = 0
        for lane in 0..<64 {
            let key = keys[Int(random.next() % 4)]
            var ticket = random.ticket(to: random.fixed())
            bench.channelIDs[lane] = random.fixed()
            bench.domains[lane] = random.fixed()
            ticket.sign(
                key: key,
                channelID: bench.channelIDs[lane],
                domain: bench.domains[lane],
                selector: headSelector
            )
            bench.issuers[lane] = key.address
            switch random.next() % 12 {
            case 0: ticket.amount &+= 1
            case 1: ticket.index ^= 1
            case 2: ticket.signature[Int(random.next() % 64)] ^= 4
            case 3: ticket.signature[32] ^= 0x80
            case 4: bench.issuers[lane] = random.fixed()
            case 5: ticket.signature = random.fixed()
            default: good |= 1 << LaneMask(lane)
            }
            bench.tickets[lane] = ticket
        }
        return good
    }

    @Test func `hashes and verdicts of a batch equal those of single tickets`() {
        var random = SeededGenerator("batch verify")
        let bench = Bench()
        for _ in 0..<6 {
            let good = fill(bench, &random)
            for lane in 0..<64 {
                let single = bench.tickets[lane].isSigned(
                    by: bench.issuers[lane],
                    channelID: bench.channelIDs[lane],
                    domain: bench.domains[lane],
                    selector: headSelector
                )
                #expect(single == good.contains(lane), "seed \(random.seed)")
            }
            for _ in 0..<4 {
                let mask = randomMask(&random, count: Int(random.next() % 65))
                for lane in 0..<64 { bench.hashes[lane] = Bytes32() }
                #expect(bench.verify(mask) == good & mask, "seed \(random.seed)")
                for lane in 0..<64 {
                    let expected =
                        mask.contains(lane)
                        ? bench.tickets[lane].hash(
                            channelID: bench.channelIDs[lane],
                            domain: bench.domains[lane],
                            selector: headSelector
                        )
                        : Bytes32()
                    #expect(bench.hashes[lane] == expected)
                }
            }
        }
    }

    @Test func `a batch signs as one does, and only its lanes`() {
        var random = SeededGenerator("batch sign")
        let bench = Bench()
        let key = random.key()
        for lane in 0..<64 {
            bench.tickets[lane] = random.ticket(to: random.fixed())
            bench.channelIDs[lane] = random.fixed()
            bench.domains[lane] = random.fixed()
        }
        let mask = randomMask(&random)
        bench.hash(mask)
        let signed = bench.lanes.sign(
            bench.tickets,
            hashes: bench.hashes,
            key: key.secretScalar,
            lanes: mask
        )
        #expect(signed == mask)
        for lane in 0..<64 {
            var expected = bench.tickets[lane]
            expected.signature = Bytes64()
            if mask.contains(lane) {
                expected.sign(
                    key: key,
                    channelID: bench.channelIDs[lane],
                    domain: bench.domains[lane],
                    selector: headSelector
                )
            }
            #expect(bench.tickets[lane] == expected, "seed \(random.seed)")
        }
        let zero = Memory(32)
        let none = bench.lanes.sign(
            bench.tickets,
            hashes: bench.hashes,
            key: zero.region,
            lanes: mask
        )
        #expect(none == 0)
    }

    @Test func `zero-hop tickets are signed like any other`() {
        var random = SeededGenerator("zero hop")
        let (key, next) = (random.key(), random.key())
        var ticket = Ticket.zeroHop(to: next.address, challenge: random.fixed())
        let channel = TicketDomain.channelID(source: key.address, destination: next.address)
        let domain: Bytes32 = random.fixed()
        ticket.sign(key: key, channelID: channel, domain: domain, selector: headSelector)
        #expect(ticket.amount == 0 && ticket.index == 0 && ticket.channelEpoch == 0)
        #expect(ticket.winProbability == .never)
        #expect(
            ticket.isSigned(
                by: key.address,
                channelID: channel,
                domain: domain,
                selector: headSelector
            )
        )
        #expect(
            !ticket.isSigned(
                by: next.address,
                channelID: channel,
                domain: domain,
                selector: headSelector
            )
        )
    }

    @Test func `tickets go into packets and come out of them`() {
        var random = SeededGenerator("codec")
        let bench = Bench()
        let slabMemory = Memory(64 * 2048)
        let slab = Slab(region: slabMemory.region, stride: 2048, offset: 64)
        var batch = Batch()
        for lane in 0..<64 {
            batch.append(slot: UInt32(63 - lane), byteCount: 1461, source: 0)
            bench.tickets[lane] = random.ticket(to: random.fixed())
        }
        let before = (0..<64).map { bench.tickets[$0] }
        let mask = randomMask(&random)
        bench.lanes.write(bench.tickets, to: batch, slab: slab, offset: 1329, lanes: mask)
        for lane in 0..<64 { bench.tickets[lane] = Ticket() }
        let parsed = bench.lanes.parse(
            batch,
            slab: slab,
            offset: 1329,
            lanes: mask,
            into: bench.tickets
        )
        #expect(parsed == mask)
        for lane in 0..<64 {
            #expect(bench.tickets[lane] == (mask.contains(lane) ? before[lane] : Ticket()))
            let bytes = slab.packet(UInt32(63 - lane), 1461).slice(1329, 132).array
            let written =
                mask.contains(lane) ? before[lane].bytes.array : Array(repeating: 0, count: 132)
            #expect(bytes == written)
        }
    }

    @Test func `an amount of 10^25 is out of range, one less is not`() {
        let bench = Bench()
        let slabMemory = Memory(2 * 256)
        let slab = Slab(region: slabMemory.region, stride: 256)
        var batch = Batch()
        batch.append(slot: 0, byteCount: 132, source: 0)
        batch.append(slot: 1, byteCount: 132, source: 0)
        var ticket = Ticket()
        ticket.amount = Ticket.amountLimit - 1
        ticket.write(to: slab.packet(0, 132))
        #expect(Ticket.amountLimit.description == "10000000000000000000000000")
        // The next amount, written by hand: 10^25 = 0x084595161401484a000000.
        slab.packet(1, 132).store(bytes: [0, 0x08, 0x45, 0x95, 0x16, 0x14, 0x01, 0x48, 0x4a], 20)
        let parsed = bench.lanes.parse(
            batch,
            slab: slab,
            offset: 0,
            lanes: 3,
            into: bench.tickets
        )
        #expect(parsed == 1)
        #expect(Ticket(slab.packet(0, 132).array)?.amount == Ticket.amountLimit - 1)
        #expect(Ticket(slab.packet(1, 132).array) == nil)
        #expect(Ticket([UInt8](repeating: 0, count: 131)) == nil)
    }

    /// Fills the bench with proofs, some damaged; returns who is good and who has no hint.
    private func fillProofs(
        _ bench: Bench,
        _ random: inout SeededGenerator
    ) -> (good: LaneMask, hintless: LaneMask) {
        var (good, hintless): (LaneMask, LaneMask) = (0, 0)
        let signer = PacketKey.random()
        for lane in 0..<64 {
            let (own, ack) = (random.key().secretCopy, random.key().secretCopy)
            bench.own[lane] = own
            bench.acknowledgements[lane] = Acknowledgements.make(halfKey: ack, key: signer)
            let hint = must(ProofOfRelay.hint(of: ack))
            var ticket = Ticket()
            ticket.challenge = must(ProofOfRelay.challenge(own: own, hint: hint))
            var proof = must(FixedBytes<53>([UInt8](repeating: 9, count: 20) + hint.array))
            switch random.next() % 5 {
            case 0: ticket.challenge[3] ^= 1
            case 1:
                proof[20] ^= 8
                hintless |= 1 << LaneMask(lane)
            default: good |= 1 << LaneMask(lane)
            }
            bench.tickets[lane] = ticket
            bench.proofs[lane] = proof
        }
        return (good, hintless)
    }

    @Test func `challenges of a batch are checked as single ones are`() {
        var random = SeededGenerator("batch challenges")
        let bench = Bench()
        let (good, hintless) = fillProofs(bench, &random)
        for _ in 0..<4 {
            let mask = randomMask(&random)
            let check = bench.lanes.checkChallenges(
                bench.tickets,
                ownHalfKeys: bench.own,
                proofs: bench.proofs,
                lanes: mask
            )
            #expect(check.passed == good & mask, "seed \(random.seed)")
            #expect(check.hintInvalid == hintless & mask)
        }
    }

    @Test func `hints and responses of a batch equal single ones`() {
        var random = SeededGenerator("batch responses")
        let bench = Bench()
        let (good, hintless) = fillProofs(bench, &random)
        for _ in 0..<4 {
            let mask = randomMask(&random)
            let hinted = bench.lanes.hints(
                of: bench.acknowledgements,
                lanes: mask,
                into: bench.hints
            )
            #expect(hinted == mask)
            let answered = bench.lanes.responses(
                ownHalfKeys: bench.own,
                acknowledgements: bench.acknowledgements,
                lanes: mask,
                into: bench.responses
            )
            #expect(answered == mask)
            var left = mask
            while let lane = left.popFirst() {
                let ack = Acknowledgements.halfKey(bench.acknowledgements[lane])
                #expect(bench.hints[lane] == ProofOfRelay.hint(of: ack))
                let response = ProofOfRelay.response(own: bench.own[lane], ack: ack)
                #expect(bench.responses[lane] == response)
            }
            let opened = bench.lanes.checkResponses(
                bench.tickets,
                responses: bench.responses,
                lanes: mask
            )
            #expect(opened == (good | hintless) & mask, "seed \(random.seed)")
        }
    }
}
