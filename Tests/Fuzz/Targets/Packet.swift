import Bytes
import Crypto
import Sphinx

/// A packet for one relay: profile, options, packet.
///
/// What the header refuses is left as it was. A batch judges each packet as if it were alone. With
/// option bit 0 the header gets the MAC that its own alpha asks for, so that the fuzzer reaches
/// what lies behind it.
func fuzzPacket(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let geometry = fuzzGeometry(&input)
    let options = input.byte()
    let bench = PacketBench(geometry)
    var packet = input.bytes(geometry.packetBytes)
    if options & 1 == 1 { packet = bench.sealed(packet) }

    let alone = bench.peel([packet])[0]
    precondition(alone.verdict == .none || alone.packet == packet, "a refused packet changed")

    var other = packet
    other[Int(options) * other.count / 256] ^= 1
    let mixed = bench.peel([other, packet, other])
    precondition(mixed[1] == alone, "a neighbour changed the verdict")
    precondition(mixed[0] == mixed[2], "equal packets are judged differently")
}

/// A relay's key, and memory to peel a few packets in.
final class PacketBench {
    struct Result: Equatable {
        var verdict: Drop
        var packet: [UInt8]
    }

    // The relay of the published negative vectors: their packets are the corpus.
    private static let seed = "3698a37aee1232e45134672497ecc2e3ee35de992f74030b119658f2cead6dc6"
    static let key: PacketKey = {
        guard var seed = Bytes32(hex: seed) else { fatalError("no seed") }
        return seed.withRegion { PacketKey(seed: $0) }
    }()

    private let geometry: Geometry
    private let slab: Slab
    private let scratch: PeelScratch
    private let memory: [Memory]

    init(_ geometry: Geometry) {
        self.geometry = geometry
        var measure = Arena()
        _ = PeelScratch(&measure)
        let stride = (geometry.packetBytes + 63) & ~63
        memory = [Memory(4 * stride), Memory(measure.used)]
        slab = Slab(region: memory[0].region, stride: stride)
        var arena = Arena(memory[1].region)
        scratch = PeelScratch(&arena)
    }

    private var peelKey: PeelKey {
        PeelKey(
            scalar: PacketBench.key.scalar,
            publicKey: PacketBench.key.signingKey.slice(32, 32)
        )
    }

    /// Peels packets as one batch.
    func peel(_ packets: [[UInt8]]) -> [Result] {
        var batch = fill(packets)
        Peel.peel(&batch, slab: slab, geometry: geometry, key: peelKey, scratch: scratch)
        return packets.indices.map { lane in
            Result(
                verdict: batch.verdict(lane),
                packet: slab.packet(UInt32(lane), geometry.packetBytes).array
            )
        }
    }

    /// The packet with the MAC that belongs to its alpha and header.
    func sealed(_ packet: [UInt8]) -> [UInt8] {
        let batch = fill([packet])
        _ = Peel.open(
            batch,
            lanes: 1,
            slab: slab,
            geometry: geometry,
            key: peelKey,
            scratch: scratch
        )
        var key = Bytes32()
        return key.withRegion { key in
            Kernels.derive(
                .tag,
                key: Lanes(scratch.secret),
                keyBytes: 32,
                out: Lanes(key),
                outBytes: 32,
                live: 1
            )
            Kernels.headerMAC(
                key: Lanes(key),
                Lanes(slab, slots: batch.slot, offset: Geometry.headerOffset),
                count: Geometry.headerBytes,
                out: Lanes(slab, slots: batch.slot, offset: Geometry.macOffset),
                live: 1
            )
            return slab.packet(0, geometry.packetBytes).array
        }
    }

    private func fill(_ packets: [[UInt8]]) -> Batch {
        var batch = Batch()
        for (lane, packet) in packets.enumerated() {
            slab.packet(UInt32(lane), geometry.packetBytes).store(bytes: packet, 0)
            batch.append(slot: UInt32(lane), byteCount: UInt32(packet.count), source: 0)
        }
        return batch
    }
}
