import Bytes
import Crypto
import JSON
import Sphinx
import TestSupport

/// A slab, a batch and scratch memory to peel packets in.
final class Bench {
    static let slots = 64
    let geometry: Geometry
    let slab: Slab
    let scratch: PeelScratch
    let build: BuildScratch
    private let slabMemory: Memory
    private let scratchMemory: Memory

    init(_ geometry: Geometry) {
        self.geometry = geometry
        let stride = (geometry.packetBytes + 8 + 63) & ~63
        slabMemory = Memory(stride * Bench.slots)
        slab = Slab(region: slabMemory.region, stride: stride, offset: 8)
        var measure = Arena()
        _ = PeelScratch(&measure)
        _ = BuildScratch(&measure)
        scratchMemory = Memory(measure.used)
        var arena = Arena(scratchMemory.region)
        scratch = PeelScratch(&arena)
        build = BuildScratch(&arena)
    }

    func put(_ packet: [UInt8], slot: UInt32) {
        slab.packet(slot, geometry.packetBytes).store(bytes: packet, 0)
    }

    func packet(slot: UInt32) -> [UInt8] { slab.packet(slot, geometry.packetBytes).array }

    /// Peels one packet in slot 5, lane 0.
    func peel(_ packet: [UInt8], key: PacketKey) -> (verdict: Drop, packet: [UInt8]) {
        put(packet, slot: 5)
        var batch = Batch()
        batch.append(slot: 5, byteCount: UInt32(packet.count), source: 0)
        Peel.peel(
            &batch,
            slab: slab,
            geometry: geometry,
            key: key.peelKey,
            scratch: scratch
        )
        return (batch.verdict(0), self.packet(slot: 5))
    }
}

extension PacketKey {
    var peelKey: PeelKey {
        PeelKey(scalar: scalar, publicKey: publicKeyRegion)
    }

    private var publicKeyRegion: Region { signingKey.slice(32, 32) }

    static func make(_ bytes: [UInt8]) -> PacketKey {
        SecretBytes(bytes).withRegion { PacketKey(seed: $0) }
    }
}

extension JSON {
    func fixed<let n: Int>(_ name: String) -> FixedBytes<n> {
        guard let bytes = FixedBytes<n>(hex(name)) else { fatalError("wrong length of \(name)") }
        return bytes
    }

    func object(_ name: String) -> JSON {
        guard let value = self[name] else { fatalError("vector has no member \(name)") }
        return value
    }

    /// The text elements of an array as bytes.
    func hexes(_ name: String) -> [[UInt8]] {
        list(name).map { element in
            guard let text = element.text, let bytes = Hex.decode(text) else {
                fatalError("vector has no hex in \(name)")
            }
            return bytes
        }
    }
}

/// The profile that a vector file is for.
func geometry(_ file: JSON) -> Geometry {
    let profile = file.object("profile")
    switch profile["payload_block"]?.integer {
    case 1038: return .v4
    case 3248: return .mix13.with(surbBytes: 395)
    default: return .head
    }
}

/// Every packet file of the vectors.
let packetFiles: [String] = (try? Vectors.names(prefix: "packet-")) ?? []
let profiles = ["head", "v4", "mix13"]

/// Nodes of a case, by index and by packet key.
struct Cast {
    let keys: [PacketKey]
    let keyIDs: [UInt32]

    init(_ nodes: [JSON]) {
        keys = nodes.map { PacketKey.make($0.hex("offchain_seed")) }
        keyIDs = nodes.map { node in node.hex("key_id").reduce(0) { $0 << 8 | UInt32($1) } }
    }

    func path(_ indices: [Int]) -> PathNodes {
        var path = PathNodes()
        for index in indices {
            _ = path.append(keyID: keyIDs[index], publicKey: keys[index].publicKey)
        }
        return path
    }

    func key(_ publicKey: [UInt8]) -> PacketKey? { keys.first { $0.publicKey.array == publicKey } }
}
