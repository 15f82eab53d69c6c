import Bytes
import Crypto
import Harness
import Sphinx
import Tickets

/// One packet after the other, as a sender makes them.
private final class BuildBench {
    private let network: Network
    private let memory = Memory(4_096)
    private let packet: Region
    private let seed: Region
    private let padding: Region
    private let senderID = SenderID()

    init(_ network: Network) {
        self.network = network
        var arena = Arena(memory.region)
        packet = arena.region(network.geometry.packetBytes)
        seed = arena.region(32)
        padding = arena.region(222)
        network.source.fill(padding)
        network.source.fill(seed)
    }

    /// The Sphinx side alone: secrets, alphas, half-keys, header and payload.
    func relays(_ count: Int, proofs: Bool) -> UInt64 {
        var nodes = PathNodes()
        for node in network.nodes[1...(count + 1)] {
            _ = nodes.append(keyID: node.keyID, publicKey: node.packetKey.publicKey)
        }
        let secrets = Build.derive(seed: seed, nodes: nodes, scratch: network.building)
        let plan = proofs ? network.plan(secrets) : ProofPlan()
        let header = Build.seal(
            secrets: secrets,
            nodes: nodes,
            proofs: plan.strings,
            noAck: false,
            reply: false,
            senderID: senderID,
            padding: padding,
            scratch: network.building
        )
        Build.write(alpha: secrets.alpha, header: header, to: packet)
        Build.encrypt(
            payload: packet.slice(Geometry.payloadOffset, network.geometry.payloadBytes),
            secrets: secrets,
            scratch: network.building
        )
        seed.copy(packet.slice(400, 32), to: 0)
        return seed.load(0)
    }
}

func buildCases(_ network: Network) -> [Case] {
    let build = BuildBench(network)
    return (0...3).map { relays in
        Case("build.relays\(relays)") { build.relays(relays, proofs: false) }
    } + [Case("build.relays3.proofs") { build.relays(3, proofs: true) }]
}
