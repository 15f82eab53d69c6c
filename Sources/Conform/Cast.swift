internal import Bytes
internal import Crypto
internal import Sphinx

/// The nodes of a vector: keys rebuilt from their secrets and compared with what the file says.
struct Cast {
    struct Node {
        let keyID: UInt32
        let packetKey: PacketKey
        let chainKey: ChainKey
    }

    let nodes: [Node]

    /// Nil if a node cannot be rebuilt.
    init?(_ field: Field) {
        let items = field.items
        nodes = items.compactMap { Cast.node($0) }
        guard nodes.count == items.count, !nodes.isEmpty else { return nil }
        let distinct = Set(nodes.map(\.keyID)).count
        field.expect(distinct == nodes.count, "key ids are not distinct")
    }

    private static func node(_ field: Field) -> Node? {
        guard let keyID = field["key_id"].bytes(4),
            let packetKey = Curves.packetKey(field["offchain_seed"]),
            let chainKey = Curves.chainKey(field["chain_priv"])
        else { return nil }
        field["offchain_pub"].equals(packetKey.publicKey)
        field["sphinx_scalar_le"].equals(packetKey.scalarBytes)
        field["chain_pub_compressed"].equals(chainKey.publicKey)
        field["chain_address"].equals(chainKey.address)
        return Node(
            keyID: keyID.reduce(0) { $0 << 8 | UInt32($1) },
            packetKey: packetKey,
            chainKey: chainKey
        )
    }

    /// The node at an index that a file names.
    func node(_ field: Field) -> Node? {
        guard let index = field.integer() else { return nil }
        guard nodes.indices.contains(index) else {
            field.fail("no such node")
            return nil
        }
        return nodes[index]
    }

    /// One to four nodes at indices that a file names.
    func path(_ field: Field) -> [Node]? {
        let items = field.items
        let path = items.compactMap { node($0) }
        guard path.count == items.count, 1...Geometry.nodesMax ~= path.count else {
            field.fail("no path of one to four nodes")
            return nil
        }
        return path
    }
}

extension [Cast.Node] {
    /// The path as headers name it.
    var pathNodes: PathNodes {
        var nodes = PathNodes()
        for node in self {
            _ = nodes.append(keyID: node.keyID, publicKey: node.packetKey.publicKey)
        }
        return nodes
    }
}

extension PacketKey {
    /// The Sphinx scalar, for comparing with a published one.
    var scalarBytes: [UInt8] { withExtendedLifetime(self) { scalar.array } }
}
