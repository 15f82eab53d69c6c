import Bytes
import Crypto
import Datapath
import TestSupport

@testable import Link

/// A node's links without a network: table, gate, desk and one worker.
final class LinkNode {
    static let prologue = LinkPrologue(
        packetBytes: 1_461,
        payloadBytes: 1_040,
        selector: 7,
        domain: Bytes32()
    )

    let key: PacketKey
    let keyID: UInt32
    let address: DatagramAddress
    let memory: Memory
    let table: LinkTable
    let gate: LinkGate
    var desk: LinkDesk
    var worker: LinkWorker
    let plain = Memory(LinkLimits.datagramBytesMax)
    let room = Memory(LinkLimits.datagramBytesMax)
    private let randomMemory = Memory(RandomStream.byteCount)
    private var random: RandomStream

    /// What was opened, by session and counter, and how often each verdict was given.
    var opened: [(session: UInt32, counter: UInt64, keyID: UInt32, isIdle: Bool)] = []
    var drops: [Drop: Int] = [:]
    var events: [LinkEvent] = []
    /// Cookie replies to send.
    var replies: [(DatagramAddress, [UInt8])] = []

    init(
        _ number: UInt32,
        peers: Int = 4,
        prologue: LinkPrologue = LinkNode.prologue,
        datagramBytes: Int = LinkLimits.datagramBytes,
        nowNanos: UInt64 = 0
    ) {
        keyID = number
        address = .loopback(port: UInt16(1_000 + number))
        key = LinkNode.key(number)
        let size = LinkSize(peers: peers, workers: 1)
        memory = Memory(LinkTable.byteCount(size))
        var arena = Arena(memory.region)
        table = LinkTable(&arena, size, hash: KeyedHash(UInt64(number), 3))
        gate = LinkGate(table)
        let seed = Memory(64)
        seed.region.fill(UInt8(truncatingIfNeeded: number))
        desk = LinkDesk(
            table,
            LinkConfig(prologue: prologue, datagramBytes: datagramBytes),
            identity: LinkIdentity(key),
            seed: seed.region,
            nowNanos: nowNanos,
            wallNanos: 1_700_000_000_000_000_000 + nowNanos
        )
        seed.region.fill(UInt8(truncatingIfNeeded: number + 100))
        random = RandomStream(in: randomMemory.region, seed: seed.region.slice(0, 32))
        worker = LinkWorker(table, worker: 0)
        withExtendedLifetime(seed) {}
    }

    static func key(_ number: UInt32) -> PacketKey {
        let seed = Memory(32)
        seed.region.store(number, 0)
        return withExtendedLifetime(seed) { PacketKey(seed: seed.region) }
    }

    var peer: LinkPeer { LinkPeer(keyID: keyID, packetKey: key.publicKey, address: address) }

    func row(_ other: LinkNode) -> UInt32 { table.peer(keyID: other.keyID) }

    /// True if there is a session to send on.
    func isUp(_ other: LinkNode, _ nowNanos: UInt64) -> Bool {
        row(other) != LinkTable.none
            && table.sendingSession(row(other), nowNanos: nowNanos) != LinkTable.none
    }

    /// A datagram with something in it; nil, and the session is wanted, if there is none.
    func seal(to other: LinkNode, _ nowNanos: UInt64) -> [UInt8]? {
        worker.enter()
        defer { worker.leave() }
        let row = row(other)
        let session = table.sendingSession(row, nowNanos: nowNanos)
        guard session != LinkTable.none,
            let counter = table.reserve(session: session, count: 1)
        else {
            table.want(row)
            return nil
        }
        let bytes = table.datagramBytes(session: session)
        room.region.fill(1)
        room.region.store(UInt32(0), 16)
        worker.seal(
            session: session,
            train: room.region,
            count: 1,
            firstCounter: counter,
            nowNanos: nowNanos
        )
        return room.region.slice(0, bytes).array
    }

    /// What a worker and the desk do with a datagram; why it was dropped.
    @discardableResult
    func receive(_ bytes: [UInt8], from source: DatagramAddress, _ nowNanos: UInt64) -> Drop {
        var bytes = bytes
        let drop = bytes.withRegion { datagram in
            LinkGate.isData(datagram)
                ? open(datagram, source, nowNanos) : handshake(datagram, source, nowNanos)
        }
        if drop != .none { drops[drop, default: 0] += 1 }
        return drop
    }

    private func open(_ datagram: Region, _ source: DatagramAddress, _ nowNanos: UInt64) -> Drop {
        worker.enter()
        defer { worker.leave() }
        let result = worker.open(datagram, into: plain.region, from: source, nowNanos: nowNanos)
        if result.verdict == .none {
            opened.append((result.session, result.counter, result.keyID, result.isIdle))
        }
        return result.verdict
    }

    private func handshake(
        _ datagram: Region,
        _ source: DatagramAddress,
        _ nowNanos: UInt64
    ) -> Drop {
        let verdict = gate.check(datagram, from: source, nowNanos: nowNanos)
        if verdict.wantsCookie {
            gate.writeCookieReply(
                to: datagram,
                verdict,
                from: source,
                nowNanos: nowNanos,
                random: &random,
                into: room.region
            )
            replies.append((source, room.region.slice(0, datagram.byteCount).array))
        }
        guard verdict.drop == .none else { return verdict.drop }
        return desk.take(datagram, from: source, nowNanos: nowNanos)
    }

    /// Ticks if it is time; what is to be sent then.
    func run(_ nowNanos: UInt64) -> [(DatagramAddress, [UInt8])] {
        if nowNanos >= desk.dueNanos { desk.tick(nowNanos: nowNanos) }
        var sent = replies
        replies = []
        while let out = desk.next(into: room.region, nowNanos: nowNanos) {
            sent.append((out.address, room.region.slice(0, out.byteCount).array))
        }
        while let event = desk.nextEvent() { events.append(event) }
        return sent
    }
}

/// Nodes and a wire between them that loses, doubles and reorders.
final class LinkWorld {
    struct Flight {
        let due: UInt64
        let to: DatagramAddress
        let from: DatagramAddress
        let bytes: [UInt8]
    }

    let nodes: [LinkNode]
    var now: UInt64 = 1_000_000_000
    var random: SeededGenerator
    var lossPerMille: UInt64 = 0
    var doublePerMille: UInt64 = 0
    var delayNanos: UInt64 = 20_000_000
    var jitterNanos: UInt64 = 1
    /// Longer datagrams vanish.
    var mtu = Int.max
    /// Where a node's datagrams seem to come from, if not from its address.
    var masks: [DatagramAddress: DatagramAddress] = [:]
    var flights: [Flight] = []
    /// All that was ever sent.
    var captured: [Flight] = []
    var keepsCapture = false

    init(_ nodes: [LinkNode], _ name: String, seed: UInt64? = nil) {
        self.nodes = nodes
        random = SeededGenerator(name, seed: seed)
        let peers = nodes.map(\.peer)
        for node in nodes {
            node.desk.setPeers(peers.filter { $0.keyID != node.keyID }, nowNanos: now)
        }
    }

    func send(_ bytes: [UInt8], from node: LinkNode, to address: DatagramAddress) {
        let from = masks[node.address] ?? node.address
        let copies = random.next() % 1_000 < doublePerMille ? 2 : 1
        for _ in 0..<copies {
            let due = now + delayNanos + random.next() % jitterNanos
            let flight = Flight(due: due, to: address, from: from, bytes: bytes)
            if keepsCapture { captured.append(flight) }
            guard random.next() % 1_000 >= lossPerMille, bytes.count <= mtu else { continue }
            flights.append(flight)
        }
    }

    /// Lets time pass in steps; `each` is called in each.
    func run(seconds: Double, stepMillis: UInt64 = 10, each: () -> Void = {}) {
        let end = now + UInt64(seconds * 1e9)
        while now < end {
            now += stepMillis * 1_000_000
            let due = flights.filter { $0.due <= now }
            if !due.isEmpty {
                flights.removeAll { $0.due <= now }
                for flight in due.sorted(by: { $0.due < $1.due }) { deliver(flight) }
            }
            for node in nodes {
                for (address, bytes) in node.run(now) { send(bytes, from: node, to: address) }
            }
            each()
        }
    }

    private func deliver(_ flight: Flight) {
        for node in nodes {
            let seen = masks[node.address] ?? node.address
            if seen == flight.to { node.receive(flight.bytes, from: flight.from, now) }
        }
    }

    /// Data from one node to another.
    func talk(_ from: LinkNode, _ to: LinkNode) {
        guard let bytes = from.seal(to: to, now),
            let address = from.table.endpoint(from.row(to))
        else { return }
        send(bytes, from: from, to: address)
    }
}
