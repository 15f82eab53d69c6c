public import Bytes

/// Working memory for building one packet or SURB at a time.
public struct BuildScratch: Sendable {
    let exponent: Column<Bytes32>
    let alpha: Column<Bytes32>
    let publicKey: Column<Bytes32>
    let point: Column<Bytes32>
    let shared: Column<Bytes32>
    let blinding: Column<Bytes32>
    let secret: Column<Bytes32>
    let ownHalfKey: Column<Bytes32>
    let ackHalfKey: Column<Bytes32>
    let macKey: Column<Bytes32>
    let mac: Column<Bytes16>
    let payloadKey: Column<FixedBytes<152>>
    let header: Region
    let streams: Region

    /// Takes what one build needs from an arena.
    public init(_ arena: inout Arena) {
        let nodes = Geometry.nodesMax
        exponent = arena.column(Bytes32.self, 1)
        alpha = arena.column(Bytes32.self, 1)
        publicKey = arena.column(Bytes32.self, 1)
        point = arena.column(Bytes32.self, 1)
        shared = arena.column(Bytes32.self, 1)
        blinding = arena.column(Bytes32.self, 1)
        secret = arena.column(Bytes32.self, nodes)
        ownHalfKey = arena.column(Bytes32.self, nodes)
        ackHalfKey = arena.column(Bytes32.self, nodes)
        macKey = arena.column(Bytes32.self, nodes)
        mac = arena.column(Bytes16.self, 1)
        payloadKey = arena.column(FixedBytes<152>.self, nodes)
        header = arena.region(PeelScratch.headerStride)
        streams = arena.region(nodes * PeelScratch.headerStride)
    }

    /// The key stream of a node.
    @_noLocks
    func stream(_ node: Int) -> Region {
        streams.slice(node * PeelScratch.headerStride, PeelScratch.headerStride)
    }
}
