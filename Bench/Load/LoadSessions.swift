internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

/// A session between the relay and each of its neighbours, made without handshakes.
final class LoadSessions {
    /// The relay's links.
    let relay: LinkTable
    /// The relay, as each of its neighbours knows it: a row for each neighbour.
    let neighbours: LinkTable
    /// Bytes of the relay's table.
    let relayBytes: Int
    /// Row of each neighbour in its table.
    let rows: [UInt32]
    private let memories: [Memory]

    init(_ network: LoadNetwork, datagramBytes: Int) throws(LoadError) {
        let size = LinkSize(peers: network.plan.links, workers: 1)
        relayBytes = LinkTable.byteCount(size)
        memories = [Memory(relayBytes), Memory(relayBytes)]
        var arena = Arena(memories[0].region)
        relay = LinkTable(&arena, size, hash: LoadNetwork.hash)
        var otherArena = Arena(memories[1].region)
        neighbours = LinkTable(&otherArena, size, hash: LoadNetwork.hash)
        var source = Source(seed: network.plan.seed)
        let seed = Memory(64)
        source.fill(seed.region)
        var here = LinkKeeper(relay, seed: seed.region.slice(0, 32))
        var there = LinkKeeper(neighbours, seed: seed.region.slice(32, 32))
        var rows: [UInt32] = []
        for node in network.neighbours {
            let address = DatagramAddress(
                family: node.endpoint.family,
                address: node.endpoint.address,
                port: node.endpoint.port
            )
            guard let row = here.addPeer(keyID: node.keyID, address: address),
                let other = there.addPeer(keyID: node.keyID, address: nil),
                let index = here.begin(), let otherIndex = there.begin()
            else { throw LoadError("no room for a link") }
            rows.append(other)
            let keys = (source.bytes(32), source.bytes(32))
            LoadSessions.install(&here, index, row, keys, otherIndex, datagramBytes)
            LoadSessions.install(&there, otherIndex, other, (keys.1, keys.0), index, datagramBytes)
        }
        self.rows = rows
    }

    private static func install(
        _ keeper: inout LinkKeeper,
        _ index: UInt32,
        _ row: UInt32,
        _ keys: ([UInt8], [UInt8]),
        _ remoteIndex: UInt32,
        _ datagramBytes: Int
    ) {
        let memory = Memory(64)
        memory.region.store(bytes: keys.0 + keys.1, 0)
        keeper.install(
            index,
            row,
            keys: memory.region,
            remoteIndex: remoteIndex,
            datagramBytes: datagramBytes,
            isInitiator: true,
            isProven: true,
            nowNanos: Host.nanos()
        )
        withExtendedLifetime(memory) {}
    }
}
