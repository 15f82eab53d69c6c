import Bytes
import CSecp256k1
import CSodium
import Crypto
import TestSupport
import Testing
import Tickets

/// What the library signs by its own default, which is RFC 6979.
private func librarySignature(_ hash: Bytes32, _ key: ChainKey) -> Bytes64 {
    let context = must(secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)))
    defer { secp256k1_context_destroy(context) }
    var parts = secp256k1_ecdsa_recoverable_signature()
    let secret = key.secretCopy.array
    let made = secp256k1_ecdsa_sign_recoverable(context, &parts, hash.array, secret, nil, nil)
    precondition(made == 1)
    var (bytes, parity) = ([UInt8](repeating: 0, count: 64), Int32(0))
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context, &bytes, &parity, &parts)
    bytes[32] |= UInt8(parity & 1) << 7
    return must(Bytes64(bytes))
}

/// A stream that begins as another one with the same seed.
private func stream(_ seed: UInt8, _ memory: Memory) -> RandomStream {
    let start = Memory(32)
    start.region.fill(seed)
    return RandomStream(in: memory.region, seed: start.region)
}

@Suite struct NonceTests {
    private func bench(_ random: inout SeededGenerator) -> Bench {
        let bench = Bench()
        for lane in 0..<64 {
            bench.tickets[lane] = random.ticket(to: random.fixed())
            bench.channelIDs[lane] = random.fixed()
            bench.domains[lane] = random.fixed()
        }
        bench.hash(.max)
        return bench
    }

    /// Signatures of a batch with hedged nonces.
    private func hedged(_ bench: Bench, _ key: ChainKey, seed: UInt8) -> [Bytes64] {
        let memory = Memory(RandomStream.byteCount)
        var source = stream(seed, memory)
        let signed = bench.lanes.sign(
            bench.tickets,
            hashes: bench.hashes,
            key: key.secretScalar,
            hedgedBy: &source,
            lanes: .max
        )
        #expect(signed == .max)
        return (0..<64).map { bench.tickets[$0].signature }
    }

    @Test func `deterministic signatures are the library's own`() {
        var random = SeededGenerator("rfc 6979")
        let (key, bench) = (random.key(), bench(&random))
        let signed = bench.lanes.sign(
            bench.tickets,
            hashes: bench.hashes,
            key: key.secretScalar,
            lanes: .max
        )
        #expect(signed == .max)
        for lane in 0..<64 {
            let expected = librarySignature(bench.hashes[lane], key)
            #expect(bench.tickets[lane].signature == expected)
            #expect(key.sign(hash: bench.hashes[lane]) == expected)
        }
    }

    @Test func `hedged signatures verify, and two of one hash differ`() {
        var random = SeededGenerator("hedged")
        let (key, bench) = (random.key(), bench(&random))
        let (first, second) = (hedged(bench, key, seed: 1), hedged(bench, key, seed: 2))
        for lane in 0..<64 {
            let hash = bench.hashes[lane]
            #expect(first[lane] != second[lane])
            #expect(key.hasSigned(hash: hash, signature: first[lane]))
            #expect(key.hasSigned(hash: hash, signature: second[lane]))
        }
        let hash = bench.hashes[0]
        let single = (0..<2).map { _ in key.sign(hash: hash, nonces: .hedged) }
        #expect(single[0] != single[1])
        #expect(single.allSatisfy { key.hasSigned(hash: hash, signature: $0) })
    }

    @Test func `constant randomness repeats no nonce for different hashes`() {
        var random = SeededGenerator("constant randomness")
        let (key, bench) = (random.key(), bench(&random))
        let (constant, memory): (Bytes32, Memory) = (random.fixed(), Memory(64))
        var seen: Set<[UInt8]> = []
        for lane in 0..<64 {
            var hash = bench.hashes[lane]
            var seed = NonceRule.hedge(hash, with: constant)
            let region = memory.region
            let made = hash.withRegion { hash in
                seed.withRegion {
                    Secp256k1.shared.sign(hash: hash, seed: $0, key: key.secretScalar, into: region)
                }
            }
            #expect(made)
            seen.insert(region.slice(0, 32).array)
        }
        #expect(seen.count == 64)
        #expect(hedged(bench, key, seed: 3) == hedged(bench, key, seed: 3))
    }

    @Test func `a batch and the library make the same of a seed`() {
        var random = SeededGenerator("one seed")
        let (key, bench) = (random.key(), bench(&random))
        let made = hedged(bench, key, seed: 4)
        let memory = Memory(RandomStream.byteCount)
        var source = stream(4, memory)
        for lane in 0..<64 {
            var (fresh, signature) = (Bytes32(), Bytes64())
            fresh.withRegion { source.fill($0) }
            var hash = bench.hashes[lane]
            var seed = NonceRule.hedge(hash, with: fresh)
            var expected = [UInt8](repeating: 0, count: 32)
            crypto_hash_sha256(&expected, hash.array + fresh.array, 64)
            #expect(seed.array == expected)
            let isSigned = hash.withRegion { hash in
                seed.withRegion { seed in
                    signature.withRegion {
                        Secp256k1.shared.sign(
                            hash: hash,
                            seed: seed,
                            key: key.secretScalar,
                            into: $0
                        )
                    }
                }
            }
            #expect(isSigned && signature == made[lane])
        }
    }

    @Test func `the self-check passes good signatures and finds each spoilt one`() {
        var random = SeededGenerator("self-check")
        let (key, bench) = (random.key(), bench(&random))
        let table = Memory(TicketLanes.ownTableBytes)
        let made = bench.lanes.makeOwnTable(
            key: key.secretScalar,
            address: key.address,
            into: table.region
        )
        #expect(made)
        func good(_ lanes: LaneMask) -> LaneMask {
            bench.lanes.verifyOwnVariableTime(
                bench.tickets,
                hashes: bench.hashes,
                table: table.region,
                lanes: lanes
            )
        }
        for seed in 0..<8 {
            _ = hedged(bench, key, seed: UInt8(seed))
            #expect(good(.max) == .max)
            let spoilt = random.next() | 1
            for lane in 0..<64 where spoilt.contains(lane) {
                let bit = Int(random.next() % 512)
                bench.tickets[lane].signature[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(
                    !key.hasSigned(
                        hash: bench.hashes[lane],
                        signature: bench.tickets[lane].signature
                    )
                )
            }
            let lanes = random.next()
            #expect(good(lanes) == lanes & ~spoilt)
        }
    }

    @Test func `there is no table of a key with another address, or of no key`() {
        var random = SeededGenerator("own table")
        let (key, bench) = (random.key(), Bench())
        let (table, zero) = (Memory(TicketLanes.ownTableBytes), Memory(32))
        let (lanes, region) = (bench.lanes, table.region)
        let other = random.key().address
        #expect(!lanes.makeOwnTable(key: key.secretScalar, address: other, into: region))
        #expect(!lanes.makeOwnTable(key: zero.region, address: key.address, into: region))
    }
}
