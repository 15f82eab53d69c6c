import Bytes
import Datapath
import Exchange
import Link
import Sphinx
import TestSupport
import Testing

@testable import Relay

@Suite(.serialized) struct SuspendTests {
    enum Backend: CaseIterable, Sendable {
        case uring
        case syscalls

        var config: PortConfig.Backend {
            switch self {
            case .uring: .automatic
            case .syscalls: .syscalls
            }
        }
    }

    /// Suspends the relay of a line in its next turn.
    private func suspend(_ line: Line) throws -> (socket: Int32, memory: Int32) {
        line.relay.board.suspend()
        line.relay.worker.turn()
        let isSuspended = line.relay.worker.isSuspended
        try #require(isSuspended)
        return try line.relay.worker.handOver()
    }

    @Test(arguments: Backend.allCases)
    func `nothing is lost wherever it is when a worker is suspended`(backend: Backend) throws {
        let line = try Line("suspended \(backend)") {
            $0.port.backend = backend.config
            $0.mixing = .uniform(maxNanos: 20_000_000)
        }
        let relay = line.relay
        // In trains, so that packets wait in the queue: a turn takes sixty-four.
        for _ in 0..<10 { line.send((0..<20).map { _ in line.maker.make([1, 2], from: 0).bytes }) }
        #expect(line.turn { relay.counters.value(.forwarded) >= 64 })
        // A packet of which the second half comes when another worker is there.
        let halves = line.sender.datagrams(
            .packet,
            [line.maker.make([1, 2], from: 0).bytes],
            to: line.nodes[1].keyID
        )
        try #require(halves.count == 2)
        line.sender.send(raw: halves[0], to: relay.address)
        line.send((0..<20).map { _ in line.maker.make([1, 2], from: 0).bytes })
        line.sender.send(.ping, [[1, 2, 3, 4, 5, 6, 7, 8]], to: line.nodes[1].keyID)
        let left = try suspend(line)

        // All places where a packet can be are in use.
        let (held, queued) = (relay.worker.wheel.count, relay.worker.queue.count)
        let (waiting, awaited) = (relay.worker.frames.waiting, relay.worker.engine.awaited)
        #expect(held > 0 && queued > 0 && waiting == 1 && awaited > 0)
        let before = relay.counters.value(.forwarded)
        line.send(30)
        line.sender.send(raw: halves[1], to: relay.address)

        try relay.replace(socket: left.socket, memory: left.memory)
        let (heldNow, queuedNow) = (relay.worker.wheel.count, relay.worker.queue.count)
        #expect(heldNow == held && queuedNow == queued)
        #expect(relay.counters.value(.forwarded) == before)
        let count: UInt64 = 200 + 20 + 1 + 30
        #expect(line.turn { line.exit.counters.value(.delivered) == count })
        #expect(line.turn { relay.counters.value(.ticketsUnlocked) == count })
        #expect(relay.counters.value(.ticketsLocked) == count)
        #expect(relay.counters.value(.pongsOut) == 1)
        for station in [relay, line.exit] {
            let drops = Drop.allCases.filter { $0 != .none && station.counters.value($0) > 0 }
            #expect(drops.isEmpty)
            let status = (station.worker.queue.count, station.worker.wheel.count)
            let ledger = PacketLedger(station.counters, queued: status.0, held: status.1)
            #expect(ledger.isBalanced && ledger.inFlight == 0, "\(ledger)")
        }
        #expect(relay.counters.value(.packetsReceived) == count)
    }

    @Test(arguments: Backend.allCases)
    func `what the kernel has put into buffers is opened`(backend: Backend) throws {
        let line = try Line("buffers \(backend)") {
            $0.port.backend = backend.config
            $0.port.coalescing = false
            $0.port.receiveBuffers = 256
        }
        // Each packet in two datagrams: more arrivals than a turn takes.
        line.send(150)
        let left = try suspend(line)
        #expect(line.relay.counters.value(.datagramsIn) >= 64)
        try line.relay.replace(socket: left.socket, memory: left.memory)
        #expect(line.turn { line.exit.counters.value(.delivered) == 150 })
        #expect(line.relay.counters.value(.datagramsIn) >= 300)
    }

    @Test func `a worker can be suspended again and again`() throws {
        let line = try Line("again and again") { $0.mixing = .uniform(maxNanos: 10_000_000) }
        var sent: UInt64 = 0
        for round in 0..<12 {
            for _ in 0..<(round % 4) {
                line.send((0..<15).map { _ in line.maker.make([1, 2], from: 0).bytes })
                sent += 15
                line.relay.worker.turn()
            }
            let left = try suspend(line)
            line.send(2)
            sent += 2
            try line.relay.replace(socket: left.socket, memory: left.memory)
            line.exit.worker.turn()
        }
        #expect(line.turn { line.exit.counters.value(.delivered) == sent })
        #expect(line.turn { line.relay.counters.value(.ticketsUnlocked) == sent })
        let drops = Drop.allCases.filter { $0 != .none && line.relay.counters.value($0) > 0 }
        #expect(drops.isEmpty)
        // What the ports before have counted counts on.
        let trains = line.relay.board.status.trains
        #expect(trains > 0)
    }

    @Test(arguments: [1, 2])
    func `workers on threads go on under load`(workersEach: Int) throws {
        let net = try Net("suspended threads \(workersEach)", workersEach: workersEach)
        let rounds = 6
        for round in 0..<rounds {
            for _ in 0..<20 { net.send([1, 2, 3], mix: round % 2 == 0) }
            let suspended = net.suspend(1)
            try #require(suspended)
            for _ in 0..<10 { net.send([1, 2, 3]) }
            try net.resume(1)
        }
        let count = rounds * 30
        let all = net.wait { net.delivered(3) == count && net.unlocked(1) == count }
        #expect(all, "\(net.delivered(3)) delivered, \(net.unlocked(1)) unlocked of \(count)")
        #expect(net.wait { net.acknowledged(0) == count && net.unlocked(2) == count })
        let stopped = net.stop()
        #expect(stopped)
        for node in 0..<4 {
            let ledger = net.ledger(node)
            #expect(ledger.isBalanced && ledger.inFlight == 0, "node \(node): \(ledger)")
            let drops = Drop.allCases.filter { $0 != .none && net.count(node, $0) != 0 }
            #expect(drops.isEmpty, "node \(node)")
        }
        #expect(net.count(1, Counter.forwarded) == count)
        #expect(net.nodes[1].books.reserved(0) == UInt128(count) * 2 * TestNode.price)
    }

    @Test func `packets do not grow older while nobody is there`() throws {
        let line = try Line("standing still") {
            $0.queue.ageNanos = 40_000_000
            $0.frames.lifeNanos = 40_000_000
        }
        for _ in 0..<6 { line.send((0..<20).map { _ in line.maker.make([1, 2], from: 0).bytes }) }
        let halves = line.sender.datagrams(
            .packet,
            [line.maker.make([1, 2], from: 0).bytes],
            to: line.nodes[1].keyID
        )
        line.sender.send(raw: halves[0], to: line.relay.address)
        let left = try suspend(line)
        let queued = line.relay.worker.queue.count
        try #require(queued > 0)
        let end = Host.nanos() + 60_000_000
        while Host.nanos() < end {}
        try line.relay.replace(socket: left.socket, memory: left.memory)
        let now = line.relay.worker.port.nanos()
        let aged = line.relay.worker.queue.agedNanos ?? 0
        // The machine may be slow, but the pause is not in it.
        #expect(aged > now - 60_000_000)
        let waiting = line.relay.worker.frames.waiting
        #expect(waiting == 1)
    }

    @Test func `memory that no worker left is refused`() throws {
        let line = try Line("refused memory")
        line.send(5)
        #expect(line.turn { line.relay.counters.value(.forwarded) == 5 })
        let left = try suspend(line)
        let size = line.mesh.nodes[1].table.size
        let byteCount = line.relay.config.byteCount(links: size)
        let pages = try SharedPages(adopting: try Host.share(left.memory), byteCount: byteCount)
        var arena = Arena(pages.region)
        let memory = WorkerMemory(&arena, line.relay.config, links: size)
        let note = memory.note[0]
        func replace() throws {
            try line.relay.replace(
                socket: try Host.share(left.socket),
                memory: try Host.share(left.memory)
            )
        }
        // Not suspended.
        memory.note[0] = WorkerNote()
        #expect(throws: DatapathError.notAdopted("no worker left it")) { try replace() }
        memory.note[0] = note
        // A slot twice.
        let slots: Column<UInt32> = memory.poolMemory.column(0, count: 2)
        let first = slots[0]
        slots[0] = slots[1]
        #expect(throws: DatapathError.notAdopted("its slots are in disorder")) { try replace() }
        slots[0] = first
        // A packet that is nowhere.
        let owners: Column<UInt8> = memory.poolMemory.column(
            4 * memory.notes.count,
            count: memory.notes.count
        )
        let place = Int(first)
        owners[place] = SlotOwner.mixer.rawValue
        #expect(throws: DatapathError.self) { try replace() }
        owners[place] = SlotOwner.free.rawValue
        // Of another size.
        #expect(throws: DatapathError.self) {
            _ = try SharedPages(
                adopting: try Host.share(left.memory),
                byteCount: byteCount + (4 << 20)
            )
        }
        try line.relay.replace(socket: left.socket, memory: left.memory)
        #expect(line.turn { line.exit.counters.value(.delivered) == 5 })
        withExtendedLifetime(pages) {}
    }

    @Test func `what is no socket is refused`() throws {
        let pages = try SharedPages(4_096, wide: false)
        #expect(throws: DatapathError.self) { _ = try DatagramSocket(adopting: try pages.share()) }
        #expect(throws: DatapathError.self) { _ = try DatagramSocket(adopting: 9_999) }
        let socket = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0)
        let other = try DatagramSocket(adopting: try Host.share(socket.descriptor))
        #expect(other.address == socket.address)
        #expect(throws: DatapathError.self) {
            _ = try SharedPages(adopting: try Host.share(socket.descriptor), byteCount: 4_096)
        }
    }

    @Test func `a layout is that of the tables`() {
        let geometry = Geometry.head
        let base = WorkerConfig(geometry: geometry, hash: KeyedHash(1, 2))
        let size = LinkSize(peers: 64, workers: 1)
        let changes: [(inout WorkerConfig) -> Void] = [
            { $0.mixerCapacity += 1 }, { $0.engine.unackedCapacity += 8 },
            { $0.queue.packetsPerNeighbour += 1 }, { $0.port.receiveBuffers *= 2 },
            { $0.port.coalescing = false }, { $0.frames.assemblies += 1 },
            { $0.mixing = .uniform(maxNanos: 5_000_000_000) },
            { $0.engine.checksOwnTickets = true },
            { $0.duplicates *= 4 },
        ]
        var seen: Set<UInt64> = [base.layout(links: size)]
        for change in changes {
            var config = base
            change(&config)
            #expect(seen.insert(config.layout(links: size)).inserted)
        }
        #expect(seen.insert(base.layout(links: LinkSize(peers: 65, workers: 1))).inserted)
        #expect(
            seen.contains(
                WorkerConfig(geometry: geometry, hash: KeyedHash(7, 8)).layout(links: size)
            )
        )
        let wide = WorkerConfig(geometry: .mix13, hash: KeyedHash(1, 2))
        #expect(!seen.contains(wide.layout(links: size)))
    }

    @Test func `tickets of a suspended worker are counted by channel`() throws {
        let net = try Net("tickets awaited", count: 3)
        // The exit is deaf: its address is another's.
        let deaf = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0)
        net.mesh.place([net.workers[0].address, net.workers[1].address, deaf.address])
        for _ in 0..<7 { net.send([1, 2]) }
        #expect(net.wait { net.workers[1].status(0).awaited == 7 })
        let suspended = net.suspend(1)
        try #require(suspended)
        let left = try #require(try net.workers[1].handOver())
        #expect(try net.workers[1].ticketsAwaited(left) == [0: 7])
        for handover in left { handover.close() }
        #expect(try net.workers[1].handOver() == nil)
        let stopped = net.stop(limitNanos: 1)
        #expect(stopped)
    }
}
