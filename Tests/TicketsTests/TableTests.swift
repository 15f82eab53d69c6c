import Bytes
import Crypto
import TestSupport
import Testing
import Tickets

/// Verdicts with a key's table equal those without, on good signatures and on damaged ones.
@Suite struct TableTests {
    private static let keyCount = 5

    private func slab(_ memory: Memory, _ stride: Int) -> Slab {
        Slab(region: memory.region, stride: stride)
    }

    /// Tables of signers, place i for key i.
    private func signers(_ keys: [ChainKey]) -> Memory {
        let memory = Memory(keys.count * Kernels.signerBytes)
        for (place, key) in keys.enumerated() {
            var point = key.affine
            let table = slab(memory, Kernels.signerBytes)
                .packet(UInt32(place), Kernels.signerBytes)
            let made = point.withRegion {
                Kernels.ecdsaTableVariableTime(Lanes($0), table: Lanes(table), live: 1)
            }
            #expect(made == 1)
        }
        return memory
    }

    private func verifiers(_ keys: [PacketKey]) -> Memory {
        let memory = Memory(keys.count * Kernels.verifierBytes)
        for (place, key) in keys.enumerated() {
            var point = key.publicKey
            let table = slab(memory, Kernels.verifierBytes)
                .packet(UInt32(place), Kernels.verifierBytes)
            let made = point.withRegion {
                Kernels.ed25519TableVariableTime(Lanes($0), table: Lanes(table), live: 1)
            }
            #expect(made == 1)
        }
        return memory
    }

    /// Damages some tickets, each way a signature can be none.
    private func damage(_ ticket: inout Ticket, _ random: inout SeededGenerator) {
        switch random.next() % 14 {
        case 0: ticket.amount &+= 1
        case 1: ticket.signature[Int(random.next() % 64)] ^= UInt8(1) << UInt8(random.next() % 8)
        case 2: ticket.signature[32] ^= 0x80
        case 3: ticket.signature = random.fixed()
        case 4: for index in 0..<32 { ticket.signature[index] = 0 }
        case 5: for index in 0..<32 { ticket.signature[index] = 255 }
        case 6: for index in 32..<64 { ticket.signature[index] = 0 }
        case 7: for index in 32..<64 { ticket.signature[index] = index == 32 ? 127 : 255 }
        default: break
        }
    }

    @Test func `tickets are judged alike with a table and without`() {
        var random = SeededGenerator("signer tables")
        let keys = (0..<Self.keyCount).map { _ in random.key() }
        let memory = signers(keys)
        let bench = Bench()
        var accepted = 0
        for _ in 0..<6 {
            var places: [Int] = []
            for lane in 0..<64 {
                let signer = Int(random.next() % UInt64(Self.keyCount))
                // Now and then the table, and the issuer's address, are another's.
                let place = random.next() % 8 == 0 ? (signer + 1) % Self.keyCount : signer
                places.append(place)
                var ticket = random.ticket(to: random.fixed())
                bench.channelIDs[lane] = random.fixed()
                bench.domains[lane] = random.fixed()
                ticket.sign(
                    key: keys[signer],
                    channelID: bench.channelIDs[lane],
                    domain: bench.domains[lane],
                    selector: headSelector
                )
                damage(&ticket, &random)
                bench.tickets[lane] = ticket
                bench.issuers[lane] = keys[place].address
            }
            let expected = bench.verify(.max)
            accepted += expected.nonzeroBitCount
            for _ in 0..<3 {
                let (mask, known) = (randomMask(&random), randomMask(&random))
                var tables = LaneTables(slab(memory, Kernels.signerBytes))
                for lane in 0..<64 where known.contains(lane) {
                    tables.set(lane, place: UInt32(places[lane]))
                }
                let signed = bench.lanes.verifyVariableTime(
                    bench.tickets,
                    hashes: bench.hashes,
                    issuers: bench.issuers,
                    tables: tables,
                    lanes: mask
                )
                #expect(signed == expected & mask, "seed \(random.seed)")
            }
        }
        #expect(accepted > 64 && accepted < 6 * 64)
    }

    @Test func `recovery tells the public key of whom it finds`() {
        var random = SeededGenerator("recovered signers")
        let bench = Bench()
        let keys = (0..<64).map { _ in random.key() }
        for lane in 0..<64 {
            bench.tickets[lane] = random.ticket(to: random.fixed())
            bench.tickets[lane].sign(
                key: keys[lane],
                channelID: Bytes32(),
                domain: Bytes32(),
                selector: headSelector
            )
            bench.issuers[lane] = keys[lane].address
        }
        #expect(bench.verify(.max) == .max)
        for lane in 0..<64 {
            #expect(bench.lanes.recoveredSigner(lane) == keys[lane].affine)
        }
    }

    @Test func `acknowledgements are judged alike with a table and without`() {
        var random = SeededGenerator("verifier tables")
        let keys = (0..<Self.keyCount).map { _ in packetKey(random.fixed()) }
        let memory = verifiers(keys)
        let bench = Bench()
        let signerMemory = Memory(64 * 32)
        let signers: Column<Bytes32> = signerMemory.region.column(0, count: 64)
        for _ in 0..<6 {
            var places: [Int] = []
            for lane in 0..<64 {
                let key = Int(random.next() % UInt64(Self.keyCount))
                let place = random.next() % 8 == 0 ? (key + 1) % Self.keyCount : key
                places.append(place)
                signers[lane] = keys[place].publicKey
                var ack = Acknowledgements.make(halfKey: random.fixed(), key: keys[key])
                switch random.next() % 8 {
                case 0: ack[Int(random.next() % 96)] ^= UInt8(1) << UInt8(random.next() % 8)
                case 1: for index in 32..<64 { ack[index] = 0 }
                case 2: for index in 64..<96 { ack[index] = 255 }
                default: break
                }
                bench.acknowledgements[lane] = ack
            }
            let expected = Acknowledgements.verifyVariableTime(
                bench.acknowledgements,
                signers: signers,
                tables: .none,
                lanes: .max
            )
            #expect(expected != 0 && expected != .max)
            let (mask, known) = (randomMask(&random), randomMask(&random))
            var tables = LaneTables(slab(memory, Kernels.verifierBytes))
            for lane in 0..<64 where known.contains(lane) {
                tables.set(lane, place: UInt32(places[lane]))
            }
            let signed = Acknowledgements.verifyVariableTime(
                bench.acknowledgements,
                signers: signers,
                tables: tables,
                lanes: mask
            )
            #expect(signed == expected & mask, "seed \(random.seed)")
        }
    }

    @Test func `luck of a batch equals that of single tickets`() {
        var random = SeededGenerator("luck lanes")
        let key = random.key()
        var measure = Arena()
        _ = LuckLanes(&measure)
        let memory = Memory(measure.used)
        var arena = Arena(memory.region)
        let lanes = LuckLanes(&arena)
        var domain: Bytes32 = random.fixed()
        for lane in 0..<64 {
            lanes.hash[lane] = random.fixed()
            lanes.response[lane] = random.fixed()
            lanes.signature[lane] = random.fixed()
            lanes.opening[lane] = random.fixed()
        }
        let mask = randomMask(&random)
        lanes.drawCommitment(lanes: mask)
        for lane in 0..<64 {
            let luck = Luck.commitment(
                hash: lanes.hash[lane],
                opening: lanes.opening[lane],
                response: lanes.response[lane],
                signature: lanes.signature[lane]
            )
            #expect(lanes.luck[lane] == (mask.contains(lane) ? luck : 0))
        }
        domain.withRegion { domain in
            lanes.drawVRF(
                redeemer: key.address,
                key: key.secretScalar,
                domain: domain,
                lanes: mask
            )
        }
        for lane in 0..<64 where mask.contains(lane) {
            let value = VRF.value(key: key, hash: lanes.hash[lane], domain: domain)
            #expect(lanes.value[lane] == value)
            let luck = Luck.vrf(
                hash: lanes.hash[lane],
                value: value,
                response: lanes.response[lane],
                signature: lanes.signature[lane]
            )
            #expect(lanes.luck[lane] == luck, "seed \(random.seed)")
        }
    }
}

/// Plans of many paths at once.
@Suite struct ProofLanesTests {
    @Test(arguments: [1, 2, 17, 64])
    func `plans made together are those made alone`(lanes: Int) {
        var random = SeededGenerator("proof lanes \(lanes)")
        var measure = Arena()
        _ = ProofLanes(&measure, lanes: lanes)
        let memory = Memory(measure.used)
        var arena = Arena(memory.region)
        let proofs = ProofLanes(&arena, lanes: lanes)
        for _ in 0..<3 {
            let mask = randomMask(&random, count: lanes) | 1
            var good: LaneMask = 0
            var expected: [ProofPlan?] = []
            for lane in 0..<lanes {
                var (own, ack) = (
                    [4 of Bytes32](repeating: Bytes32()), [4 of Bytes32](repeating: Bytes32())
                )
                let count = 1 + Int(random.next() % 4)
                for node in 0..<count { own[node] = random.fixed(); ack[node] = random.fixed() }
                if random.next() % 5 == 0 { ack[Int(random.next() % 4)] = Bytes32() }
                let challenge: Address = random.fixed()
                proofs.count[lane] = count
                proofs.ownHalfKeys[lane] = own
                proofs.ackHalfKeys[lane] = ack
                proofs.lastChallenge[lane] = challenge
                var plan = ProofPlan()
                let made = ProofOfRelay.plan(
                    ownHalfKeys: own,
                    ackHalfKeys: ack,
                    count: count,
                    lastChallenge: challenge,
                    curve: .shared,
                    into: &plan
                )
                if made, mask.contains(lane) { good |= 1 << LaneMask(lane) }
                expected.append(made ? plan : nil)
            }
            #expect(proofs.make(lanes: mask) == good, "seed \(random.seed)")
            for lane in 0..<lanes where good.contains(lane) {
                let plan = proofs.plan[lane]
                #expect(plan.values == expected[lane]?.values)
                for node in 0..<3 { #expect(plan.strings[node] == expected[lane]?.strings[node]) }
            }
            #expect(proofs.ownHalfKeys.region.array.allSatisfy { $0 == 0 })
            #expect(proofs.ackHalfKeys.region.array.allSatisfy { $0 == 0 })
        }
    }
}
