import Bytes
import Crypto
import Datapath
import Exchange
import Link
import Sphinx
import TestSupport

@testable import Relay

/// A node as the wire sees a daemon: a worker, and a link desk that makes real handshakes. The test
/// drives both.
final class LinkStation {
    let station: Station
    let table: LinkTable
    var desk: LinkDesk
    var events: [LinkEvent] = []
    /// Handshakes that the desk refused.
    var refused: [Drop: Int] = [:]
    /// What was reported, oldest first.
    var told: [Report] = []
    private let network: SimulatedNetwork?
    private let sender: DatagramSocket?
    private let memory: Memory
    private let room = Memory(LinkLimits.datagramBytesMax)
    private var wantsSeen: UInt64 = 0

    init(
        _ node: TestNode,
        in nodes: [TestNode],
        place: Place,
        geometry: Geometry = .head,
        datagramBytes: Int = LinkLimits.datagramBytes,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws {
        var isPaced = false
        let size = LinkSize(peers: 16, workers: 1)
        memory = Memory(LinkTable.byteCount(size))
        var arena = Arena(memory.region)
        table = LinkTable(&arena, size, hash: KeyedHash(7, UInt64(node.index)))
        let prologue = LinkPrologue(
            packetBytes: geometry.packetBytes,
            payloadBytes: geometry.payloadBytes,
            selector: geometry.ticketSelector,
            domain: node.domain
        )
        var config = LinkConfig(prologue: prologue, datagramBytes: datagramBytes)
        station = try Station(node, in: nodes, links: table, place: place, geometry: geometry) {
            $0.port.lengths = config.sizes
            configure(&$0)
            isPaced = $0.constantRate > 0
        }
        config.keepsSessions = isPaced
        if case .simulated(let network, _) = place {
            self.network = network
            sender = nil
        } else {
            network = nil
            sender = try station.worker.duplicateSocket()
        }
        let seed = Memory(64)
        seed.region.fill(UInt8(100 + node.index))
        desk = LinkDesk(
            table,
            config,
            identity: LinkIdentity(node.packetKey),
            seed: seed.region,
            nowNanos: station.worker.port.nanos(),
            wallNanos: 1_700_000_000_000_000_000
        )
        withExtendedLifetime(seed) {}
    }

    var node: TestNode { station.node }
    var address: DatagramAddress { station.address }
    var counters: Counters { station.counters }
    var nanos: UInt64 { station.worker.port.nanos() }
    var features: PortFeatures { station.worker.port.features }

    /// Who the others are and where.
    func meet(_ others: [LinkStation], _ nodes: [TestNode]) {
        var addresses = [DatagramAddress?](repeating: nil, count: nodes.count)
        for other in others { addresses[other.node.index] = other.address }
        station.cell.publish(node.snapshot(nodes, at: addresses))
        let peers = others.filter { $0 !== self }.map {
            LinkPeer(
                keyID: $0.node.keyID,
                packetKey: $0.node.packetKey.publicKey,
                address: $0.address
            )
        }
        desk.setPeers(peers, nowNanos: nanos)
    }

    func wants(_ other: LinkStation) { desk.wants(keyID: other.node.keyID, nowNanos: nanos) }

    /// The session to send on; nil if there is none.
    func session(to other: LinkStation) -> UInt32? {
        let row = table.peer(keyID: other.node.keyID)
        guard row != LinkTable.none else { return nil }
        let session = table.sendingSession(row, nowNanos: nanos)
        return session == LinkTable.none ? nil : session
    }

    /// Bytes of datagrams to another; nil without a session.
    func datagramBytes(to other: LinkStation) -> Int? {
        session(to: other).map { table.datagramBytes(session: $0) }
    }

    /// One turn of the worker, and what the desk has to do.
    func turn() {
        station.worker.turn()
        while let report = station.reports.next() { told.append(report) }
        drive()
    }

    private func drive() {
        let now = nanos
        while let (datagram, source) = station.strangers.next() {
            let from = DatagramAddress(
                family: source.family,
                address: source.address,
                port: source.port
            )
            let verdict = desk.take(datagram, from: from, nowNanos: now)
            if verdict != .none { refused[verdict, default: 0] += 1 }
            station.strangers.release()
        }
        if table.wants() != wantsSeen || now >= desk.dueNanos {
            wantsSeen = table.wants()
            desk.tick(nowNanos: now)
        }
        while let out = desk.next(into: room.region, nowNanos: now) {
            let datagram = room.region.slice(0, out.byteCount)
            if let network {
                network.carry(datagram.array, from: address, to: out.address)
            } else {
                // What the path does not take is lost, as elsewhere on the way.
                _ = sender?.send(datagram, to: out.address)
            }
        }
        while let event = desk.nextEvent() { events.append(event) }
    }

    /// Hands a packet to the worker; it goes to the first node of its path.
    func send(_ made: PacketMaker.Made, to first: TestNode, mix: Bool = false) {
        let taken = station.commands.send(
            nextKeyID: first.keyID,
            packet: made.bytes,
            ackChallenge: made.ackChallenge,
            mix: mix
        )
        precondition(taken, "ring full")
    }

    var delivered: Int { told.filter { if case .delivery = $0 { true } else { false } }.count }
    var unlocked: Int { told.filter { if case .unlocked = $0 { true } else { false } }.count }
    var acknowledged: Int {
        told.filter { if case .acknowledged = $0 { true } else { false } }.count
    }

    /// What became of all packets, exactly: no turn is under way.
    var ledger: PacketLedger {
        PacketLedger(
            counters,
            queued: station.worker.queue.count,
            held: station.worker.heldCount
        )
    }

    /// True if each slot is where it should be.
    var hasAllSlots: Bool {
        let free = station.worker.pool.count(of: .free)
        let queued = station.worker.pool.count(of: .queue)
        let mixed = station.worker.pool.count(of: .mixer)
        return queued == station.worker.queue.count && mixed == station.worker.heldCount
            && free + queued + mixed == station.worker.pool.count
    }
}

/// Stations that know each other, in one network, driven by one thread.
final class LinkCrowd {
    let nodes: [TestNode]
    private(set) var all: [LinkStation?]
    let maker: PacketMaker
    /// Called between turns.
    var each: () -> Void = {}

    init(
        _ name: String,
        geometry: Geometry = .head,
        places: [Place],
        datagramBytes: Int = LinkLimits.datagramBytes,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws {
        let nodes = places.indices.map { TestNode($0, of: places.count) }
        self.nodes = nodes
        maker = PacketMaker(name, nodes, geometry: geometry)
        all = try zip(nodes, places).map { node, place in
            try LinkStation(
                node,
                in: nodes,
                place: place,
                geometry: geometry,
                datagramBytes: datagramBytes,
                configure: configure
            )
        }
        for station in stations { station.meet(stations, nodes) }
    }

    /// So many stations in a simulated network.
    convenience init(
        _ name: String,
        count: Int,
        in network: SimulatedNetwork,
        geometry: Geometry = .head,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws {
        let places = (0..<count).map { Place.simulated(network, .simulated(UInt8($0 + 1))) }
        try self.init(name, geometry: geometry, places: places, configure: configure)
    }

    /// Those that are there.
    var stations: [LinkStation] { all.compactMap { $0 } }

    subscript(_ index: Int) -> LinkStation {
        guard let station = all[index] else { fatalError("no station \(index)") }
        return station
    }

    /// Another station in the place of one, or none.
    func replace(_ index: Int, with station: LinkStation?) {
        all[index] = station
        station?.meet(stations, nodes)
    }

    func turn() {
        for station in stations { station.turn() }
        each()
    }

    /// Turns until something is so; false if it is not after `seconds` of the stations' clock.
    func turn(seconds: UInt64 = 20, until condition: () -> Bool) -> Bool {
        let first = self[0]
        let end = first.nanos + seconds * 1_000_000_000
        while !condition() {
            guard first.nanos < end else { return false }
            turn()
        }
        return true
    }

    /// Sends a packet from a station along a path.
    func send(_ path: [Int], from sender: Int = 0, message: [UInt8] = [0, 1, 2, 3]) {
        let made = maker.make(path, from: sender, message: message)
        self[sender].send(made, to: nodes[path[0]])
    }

    /// Links between all of these, in both directions.
    func areUp(_ pairs: [(Int, Int)]) -> Bool {
        pairs.allSatisfy { left, right in
            self[left].session(to: self[right]) != nil
                && self[right].session(to: self[left]) != nil
        }
    }
}

extension DatagramAddress {
    /// A host of a simulated network.
    static func simulated(_ host: UInt8) -> DatagramAddress {
        var address = Bytes16()
        address[0] = 10
        address[3] = host
        return DatagramAddress(family: 4, address: address, port: 9_000)
    }
}
