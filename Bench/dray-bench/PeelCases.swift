import Bytes
import Crypto
import Harness
import Load
import Sphinx

/// A batch of packets at a relay, and a copy to begin every call with.
private final class PeelBench {
    let geometry = Geometry.head
    let node: Identity
    private let memory: Memory
    let slab: Slab
    private let packets: Region
    let scratch: PeelScratch
    let key: PeelKey
    var batch = Batch()
    var slots = [64 of UInt32](repeating: 0)

    init(_ network: Network) {
        node = network.nodes[1]
        let slabBytes = 2_048 * Batch.capacity
        var measure = Arena()
        _ = PeelScratch(&measure)
        memory = Memory(2 * slabBytes + measure.used)
        var arena = Arena(memory.region)
        slab = Slab(region: arena.region(slabBytes), stride: 2_048, offset: 64)
        packets = arena.region(slabBytes)
        scratch = PeelScratch(&arena)
        key = PeelKey(scalar: node.packetKey.scalar, publicKey: node.packetKey.publicKeyRegion)
        for lane in 0..<Batch.capacity {
            slots[lane] = UInt32(lane)
            let packet = slab.packet(UInt32(lane), geometry.packetBytes)
            _ = network.packet(index: UInt64(lane), into: packet)
        }
        packets.copy(slab.region, to: 0)
    }

    /// A batch of untouched packets.
    private func begin(_ count: Int) {
        slab.region.copy(packets.slice(0, 2_048 * count), to: 0)
        batch.reset(nowNanos: 1)
        for lane in 0..<count {
            batch.append(
                slot: UInt32(lane),
                byteCount: UInt32(geometry.packetBytes),
                source: 0
            )
        }
    }

    func whole(_ count: Int) -> UInt64 {
        begin(count)
        Peel.peel(&batch, slab: slab, geometry: geometry, key: key, scratch: scratch)
        precondition(batch.live == .first(count), "a packet does not peel")
        return scratch.secret.region(0).load(0)
    }

    func alpha(_ count: Int) -> UInt64 {
        let outcome = Kernels.alphaStep(
            Lanes(slab, slots: slots, offset: 0),
            scalar: key.scalar,
            publicKey: key.publicKey,
            secret: Lanes(scratch.secret),
            next: Lanes(scratch.ownHalfKey),
            live: .first(count)
        )
        precondition(outcome.valid == .first(count), "an alpha is no point")
        return scratch.secret.region(0).load(0)
    }
}

/// Memory for single kernels: 64 entries of each size.
private final class KernelBench {
    private let memory = Memory(64 * 4_096)
    let key: Column<Bytes32>
    let material: Column<FixedBytes<152>>
    let mac: Column<Bytes16>
    let blocks: Region
    let headers: Region

    init(_ network: Network) {
        var arena = Arena(memory.region)
        key = arena.column(Bytes32.self, 64)
        material = arena.column(FixedBytes<152>.self, 64)
        mac = arena.column(Bytes16.self, 64)
        blocks = arena.region(64 * 1_040)
        headers = arena.region(64 * 320)
        for region in [key.region, material.region, blocks, headers] {
            network.source.fill(region)
        }
    }

    var blockLanes: Lanes { Lanes(blocks, stride: 1_040) }
    var headerLanes: Lanes { Lanes(headers, stride: 320) }
}

func peelCases(_ network: Network) -> [Case] {
    let peel = PeelBench(network)
    var cases = [1, 8, 64].map { count in
        Case(count == 64 ? "peel.whole" : "peel.whole.batch\(count)", batch: count) {
            peel.whole(count)
        }
    }
    cases += [
        Case("peel.alpha", batch: 64) { peel.alpha(64) },
        Case("peel.alpha.batch1", batch: 1) { peel.alpha(1) },
        portable("peel.whole.portable", batch: 64) { peel.whole(64) },
        portable("peel.whole.portable1", batch: 1) { peel.whole(1) },
        portable("peel.alpha.portable", batch: 64) { peel.alpha(64) },
    ]
    for count in [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64] {
        cases += [
            Case("curve.peel.\(count)", batch: count) { peel.whole(count) },
            portable("curve.peel.portable.\(count)", batch: count) { peel.whole(count) },
        ]
    }
    return cases + symmetricCases(KernelBench(network))
}

/// A case on the portable row, whatever the others run on.
private func portable(_ name: String, batch: Int, body: @escaping () -> UInt64) -> Case {
    func use(_ row: String) { precondition(Kernels.use(row), "no row \(row)") }
    let row = Kernels.table
    return Case(
        name,
        batch: batch,
        before: { use("portable") },
        after: { use(row) },
        body: body
    )
}

private func symmetricCases(_ kernel: KernelBench) -> [Case] {
    [
        Case("peel.lioness", batch: 16) {
            Kernels.lionessInverse(
                material: Lanes(kernel.material),
                block: kernel.blockLanes,
                count: 1_040,
                live: .first(16)
            )
            return kernel.blocks.load(0)
        },
        Case("peel.mac", batch: 64) {
            Kernels.headerMAC(
                key: Lanes(kernel.key),
                kernel.headerLanes,
                count: 241,
                out: Lanes(kernel.mac),
                live: .max
            )
            return kernel.mac.region(0).load(0)
        },
        Case("peel.header", batch: 64) {
            Kernels.headerStream(
                material: Lanes(kernel.material),
                input: kernel.headerLanes,
                inputBytes: 241,
                out: kernel.headerLanes,
                outBytes: 315,
                live: .max
            )
            return kernel.headers.load(0)
        },
        Case("peel.kdf", batch: 64) {
            Kernels.derive(
                .prp,
                key: Lanes(kernel.key),
                keyBytes: 32,
                out: Lanes(kernel.material),
                outBytes: 152,
                live: .max
            )
            return kernel.material.region(0).load(0)
        },
        Case("peel.halfkeys", batch: 64) {
            Kernels.halfKeys(
                secret: Lanes(kernel.key),
                own: Lanes(kernel.material),
                ack: Lanes(kernel.material, offset: 32),
                live: .max
            )
            return kernel.material.region(0).load(0)
        },
    ]
}
