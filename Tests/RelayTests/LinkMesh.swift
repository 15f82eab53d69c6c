import Bytes
import Crypto
import Datapath
import Exchange
import Link
import TestSupport

/// Link tables of a test's nodes with sessions between all of them, without handshakes.
final class LinkMesh {
    static let datagramBytes = 1_452

    /// One node's links.
    final class Node {
        let table: LinkTable
        var keeper: LinkKeeper
        private let memory: Memory

        init(peers: Int, workers: Int, random: inout SeededGenerator) {
            let size = LinkSize(peers: peers, workers: workers)
            memory = Memory(LinkTable.byteCount(size))
            var arena = Arena(memory.region)
            table = LinkTable(&arena, size, hash: KeyedHash(7, 8))
            let seed = Memory(32)
            seed.region.store(bytes: random.bytes(32), 0)
            keeper = LinkKeeper(table, seed: seed.region)
            withExtendedLifetime(seed) {}
        }
    }

    let nodes: [Node]
    private let keyIDs: [UInt32]
    private var random: SeededGenerator

    /// Nodes with key ids; each knows all others and is connected to them.
    init(_ name: String, keyIDs: [UInt32], workers: Int = 1) {
        var random = SeededGenerator(name + " links", seed: 1)
        nodes = keyIDs.map { _ in Node(peers: 16, workers: workers, random: &random) }
        self.keyIDs = keyIDs
        self.random = random
        for left in nodes.indices {
            for right in nodes.indices where right != left {
                _ = nodes[left].keeper.addPeer(keyID: keyIDs[right], address: nil)
            }
        }
        for left in nodes.indices {
            for right in nodes.indices where right > left { connect(left, right) }
        }
    }

    /// A new session between two nodes.
    func connect(_ left: Int, _ right: Int) {
        var keys = random.bytes(64)
        guard let first = nodes[left].keeper.begin(), let second = nodes[right].keeper.begin()
        else { fatalError("no session slot") }
        install(left, first, to: right, keys: &keys, remoteIndex: second)
        keys = Array(keys[32...] + keys[..<32])
        install(right, second, to: left, keys: &keys, remoteIndex: first)
    }

    private func install(
        _ node: Int,
        _ index: UInt32,
        to other: Int,
        keys: inout [UInt8],
        remoteIndex: UInt32
    ) {
        let row = nodes[node].table.peer(keyID: keyIDs[other])
        keys.withRegion {
            nodes[node].keeper.install(
                index,
                row,
                keys: $0,
                remoteIndex: remoteIndex,
                datagramBytes: LinkMesh.datagramBytes,
                isInitiator: node < other,
                isProven: true,
                nowNanos: Host.nanos()
            )
        }
    }

    /// Where each node is, for all others; nil leaves it where it was.
    func place(_ addresses: [DatagramAddress?]) {
        for node in nodes.indices {
            for other in nodes.indices where other != node {
                guard let address = addresses[other] else { continue }
                let row = nodes[node].table.peer(keyID: keyIDs[other])
                while !nodes[node].keeper.setEndpoint(row, address) {}
            }
        }
    }

    /// A node is no neighbour of another any more.
    func remove(_ other: Int, from node: Int) {
        nodes[node].keeper.removePeer(nodes[node].table.peer(keyID: keyIDs[other]))
    }
}

/// The way of one node to others, driven by the test: frames in datagrams of its links.
final class TestLink {
    /// What came, from any neighbour.
    struct Came {
        var type: FrameType
        var keyID: UInt32
        var body: [UInt8]
    }

    let port: Port
    let table: LinkTable
    /// Datagrams that did not open.
    var refused: [Drop] = []
    private var links: LinkWorker
    private var frames: FrameReader
    private let pages: MappedPages
    private let frameMemory: Memory
    private let plain = Memory(LinkLimits.datagramBytesMax)

    init(_ table: LinkTable, packetBytes: Int) throws {
        self.table = table
        var config = PortConfig()
        config.receiveBuffers = 16
        config.trains = 8
        pages = try MappedPages(Port.byteCount(for: config))
        let socket = try DatagramSocket(.loopback(port: 0), shared: true, bufferBytes: 1 << 20)
        port = try Port(config, socket: socket, memory: pages.region)
        try port.start()
        links = LinkWorker(table, worker: 0)
        links.enter()
        let limits = FrameLimits(packetBytes: packetBytes)
        frameMemory = Memory(FrameReader.byteCount(for: limits))
        frames = FrameReader(frameMemory.region, limits: limits)
        frames.clear(hash: KeyedHash(1, 2))
    }

    var address: DatagramAddress { port.socket.address }

    /// Sends frames to a neighbour, in one train.
    func send(_ type: FrameType, _ bodies: [[UInt8]], to keyID: UInt32) {
        let sealed = seal(type, bodies, to: keyID)
        let queued = port.send(
            train: sealed.train,
            byteCount: sealed.count * sealed.bytes,
            segmentBytes: sealed.bytes,
            to: sealed.address
        )
        precondition(queued && port.submit(), "not sent")
    }

    /// Datagrams with frames for a neighbour, to be sent one by one.
    func datagrams(_ type: FrameType, _ bodies: [[UInt8]], to keyID: UInt32) -> [[UInt8]] {
        let sealed = seal(type, bodies, to: keyID)
        defer { port.giveTrain(sealed.train) }
        return (0..<sealed.count).map {
            port.train(sealed.train).slice($0 * sealed.bytes, sealed.bytes).array
        }
    }

    /// A train of `count` datagrams.
    private func seal(
        _ type: FrameType,
        _ bodies: [[UInt8]],
        to keyID: UInt32
    ) -> (train: Int, count: Int, bytes: Int, address: DatagramAddress) {
        let row = table.peer(keyID: keyID)
        let session = table.sendingSession(row, nowNanos: Host.nanos())
        precondition(session != LinkTable.none, "no session")
        guard let address = table.endpoint(row), let train = port.takeTrain() else {
            fatalError("nowhere to send")
        }
        let bytes = table.datagramBytes(session: session)
        var writer = FrameWriter(port.train(train), datagramBytes: bytes)
        for body in bodies {
            var body = body
            let added = body.withRegion { writer.add(type, $0) }
            precondition(added, "does not fit")
        }
        let count = writer.end()
        guard let first = table.reserve(session: session, count: count) else {
            fatalError("session used up")
        }
        links.seal(
            session: session,
            train: port.train(train),
            count: count,
            firstCounter: first,
            nowNanos: Host.nanos()
        )
        return (train, count, bytes, address)
    }

    /// Sends bytes as they are.
    func send(raw bytes: [UInt8], to address: DatagramAddress) {
        guard let train = port.takeTrain() else { fatalError("no train") }
        port.train(train).store(bytes: bytes, 0)
        let queued = port.send(
            train: train,
            byteCount: bytes.count,
            segmentBytes: bytes.count,
            to: address
        )
        precondition(queued && port.submit(), "not sent")
    }

    /// Takes what has come.
    func receive() -> [Came] {
        precondition(port.wait(want: 1, batchNanos: 0, timeoutNanos: 1_000_000), "port failed")
        var all: [Came] = []
        for index in 0..<port.take() {
            let arrival = port.arrival(index)
            for place in 0..<arrival.count {
                open(arrival.datagram(place), arrival.source, &all)
            }
        }
        port.release()
        return all
    }

    private func open(_ datagram: Region, _ source: DatagramAddress, _ all: inout [Came]) {
        let now = Host.nanos()
        let opened = links.open(datagram, into: plain.region, from: source, nowNanos: now)
        guard opened.verdict == .none else { return refused.append(opened.verdict) }
        frames.begin(
            plain.region.slice(0, datagram.byteCount - 32),
            session: opened.session,
            link: opened.row,
            counter: opened.counter,
            nowNanos: now
        )
        while let frame = frames.next() {
            all.append(Came(type: frame.type, keyID: opened.keyID, body: frame.body.array))
        }
    }
}
