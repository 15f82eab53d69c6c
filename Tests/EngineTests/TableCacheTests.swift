import Bytes
import Crypto
import Exchange
import TestSupport
import Testing

/// Tables of keys: the bound, who makes way, and that nobody reads a table while it is written.
@Suite struct TableCacheTests {
    private final class Rig {
        let memory: Memory
        let cache: TableCache

        init(_ kind: TableCache.Kind = .verifier, places: Int) {
            memory = Memory(TableCache.byteCount(kind, places: places))
            var arena = Arena(memory.region)
            cache = TableCache(&arena, kind, places: places, hash: KeyedHash(1, 2))
        }

        /// Builds a key's table; its place, or none.
        func add(_ key: Bytes64) -> UInt32 {
            let place = cache.claim(key)
            if place != Snapshot.none { cache.finish(place, isBuilt: cache.build(place)) }
            return place
        }

        /// No table is fresh any more.
        func forgetUse() {
            #expect(cache.makeRoom(cache.tables.count) == 0)
        }
    }

    private func key(_ number: Int) -> Bytes64 {
        var seed = Bytes32()
        seed[0] = UInt8(number & 255)
        seed[1] = UInt8(number >> 8)
        return TableCache.key(seed.withRegion { PacketKey(seed: $0).publicKey })
    }

    @Test func `a budget holds so many tables and no more`() {
        let bytes = TableCache.Kind.signer.tableBytes
        #expect(TableCache.places(.signer, budgetBytes: 64 << 20) == (64 << 20) / bytes)
        #expect(TableCache.places(.signer, budgetBytes: bytes - 1) == 0)
        let rig = Rig(places: 3)
        for number in 0..<3 { #expect(rig.add(key(number)) == UInt32(number)) }
        #expect(rig.add(key(3)) == Snapshot.none)
        #expect(rig.cache.used == 3 && rig.cache.evictions == 0)
        #expect(rig.cache.usedBytes == 3 * TableCache.Kind.verifier.tableBytes)
        for number in 0..<3 { #expect(rig.cache.place(of: key(number)) == UInt32(number)) }
        #expect(rig.cache.place(of: key(3)) == Snapshot.none && !rig.cache.contains(key(3)))
    }

    @Test func `without places nothing is kept`() {
        let rig = Rig(places: 0)
        #expect(rig.add(key(0)) == Snapshot.none && rig.cache.makeRoom(1) == 0)
        #expect(rig.cache.place(of: key(0)) == Snapshot.none)
    }

    @Test func `a key that is none leaves its place empty`() {
        let rig = Rig(.signer, places: 1)
        var noPoint = Bytes64()
        noPoint[63] = 1
        #expect(rig.add(noPoint) == 0)
        #expect(!rig.cache.contains(noPoint) && rig.cache.used == 0)
        var scalar = Bytes32()
        scalar[31] = 5
        let signer = scalar.withRegion { ChainKey(secret: $0) }
        #expect(signer.map { rig.add($0.affine) } == 0 && rig.cache.used == 1)
    }

    @Test func `who was not used makes way, who was stays`() {
        let rig = Rig(places: 4)
        for number in 0..<4 { _ = rig.add(key(number)) }
        rig.forgetUse()
        rig.cache.tables.mark(0)
        rig.cache.tables.mark(2)
        #expect(rig.cache.makeRoom(4) == 2 && rig.cache.evictions == 2 && rig.cache.used == 2)
        for number in 0..<4 {
            let isThere = rig.cache.place(of: key(number)) != Snapshot.none
            #expect(isThere == (number % 2 == 0))
        }
        // Marked no more: they go at the hand's next round.
        #expect(rig.cache.makeRoom(1) == 1 && rig.cache.makeRoom(8) == 1)
        #expect(rig.cache.used == 0)
    }

    @Test func `a place is used again when every worker has moved on, not before`() {
        let rig = Rig(places: 1)
        let cell = SnapshotCell(workers: 2, first: snapshot())
        var readers = (0..<2).map { cell.reader(worker: $0) }
        _ = rig.add(key(0))
        rig.forgetUse()
        #expect(rig.cache.makeRoom(1) == 1)
        rig.cache.reclaim(oldestInUse: cell.oldestInUse)
        #expect(rig.cache.claim(key(1)) == Snapshot.none, "the snapshot in use names it")
        rig.cache.stamp(generation: cell.publish(snapshot()))
        for worker in 0..<2 {
            rig.cache.reclaim(oldestInUse: cell.oldestInUse)
            #expect(rig.cache.isLeaving && rig.cache.claim(key(1)) == Snapshot.none)
            _ = readers[worker].current()
        }
        rig.cache.reclaim(oldestInUse: cell.oldestInUse)
        #expect(!rig.cache.isLeaving && rig.add(key(1)) == 0)
    }

    @Test func `other workers begin with other generations`() {
        let rig = Rig(places: 1)
        _ = rig.add(key(0))
        rig.forgetUse()
        #expect(rig.cache.makeRoom(1) == 1)
        rig.cache.stamp(generation: 100)
        rig.cache.restart()
        rig.cache.reclaim(oldestInUse: 100)
        #expect(rig.cache.isLeaving)
        rig.cache.stamp(generation: 2)
        rig.cache.reclaim(oldestInUse: 2)
        #expect(rig.add(key(1)) == 0)
    }

    /// A worker of the model: what its snapshot names, and what stood there when it was published.
    private struct Reader {
        var generation: UInt64 = 0
        var names: [(place: UInt32, bytes: [UInt8])] = []
    }

    @Test func `no table that a snapshot in use names is ever written`() {
        var random = SeededGenerator("table cache")
        let rig = Rig(.signer, places: 6)
        let keys = (0..<20).map { number -> Bytes64 in
            var scalar = Bytes32()
            scalar[31] = UInt8(number + 1)
            return scalar.withRegion { ChainKey(secret: $0) }?.affine ?? Bytes64()
        }
        func bytes(_ place: UInt32) -> [UInt8] {
            rig.cache.tables.slab.packet(place, rig.cache.kind.tableBytes).slice(0, 64).array
        }
        var published = Reader(generation: 1)
        var readers = [Reader](repeating: published, count: 3)
        for _ in 0..<2_000 {
            let wanted = keys[Int(random.next() % 20)]
            switch random.next() % 5 {
            case 0:
                let worker = Int(random.next() % 3)
                readers[worker] = published
            case 1:
                let names = keys.map { rig.cache.place(of: $0) }.filter { $0 != Snapshot.none }
                published.generation += 1
                published.names = names.map { ($0, bytes($0)) }
                rig.cache.stamp(generation: published.generation)
            case 2: _ = rig.cache.makeRoom(1)
            case 3:
                let worker = readers[Int(random.next() % 3)]
                worker.names.randomElement(using: &random).map { rig.cache.tables.mark($0.place) }
            default:
                rig.cache.reclaim(oldestInUse: readers.map(\.generation).min() ?? 0)
                if !rig.cache.contains(wanted) { _ = rig.add(wanted) }
            }
            #expect(rig.cache.used <= 6)
            for reader in readers + [published] {
                for name in reader.names {
                    let isKept = bytes(name.place) == name.bytes
                    #expect(isKept, "seed \(random.seed)")
                }
            }
        }
        #expect(rig.cache.evictions > 20)
    }

    private func snapshot() -> Memory {
        let identity = Identity(0)
        return SnapshotBuilder(
            current: identity.packetIdentity,
            chainAddress: identity.chainKey.address,
            chainKey: Bytes32(),
            domain: Bytes32(),
            policy: Policy(price: 1),
            hash: KeyedHash(3, 4)
        ).build()
    }
}
