import Bytes
import Datapath
import Exchange
import Foundation
import Link
import Relay
import Sphinx
import TestSupport

/// Nodes with their workers on threads, one port of 127.0.0.1 each.
final class Net {
    let nodes: [TestNode]
    private(set) var workers: [Workers]
    private let plans: [Workers.Plan]
    let mesh: LinkMesh
    let maker: PacketMaker
    var reports: [[ReportReader]]
    var commands: [CommandWriter]
    /// What each node reported.
    var told: [[Report]]

    init(
        _ name: String,
        count: Int = 5,
        geometry: Geometry = .head,
        workersEach: Int = 1,
        way: Way = .ring,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws {
        let nodes = (0..<count).map { TestNode($0, of: count) }
        let nowhere = [DatagramAddress?](repeating: nil, count: count)
        var config = WorkerConfig(geometry: geometry, hash: KeyedHash(1, 2))
        config.mixerCapacity = 2_000
        config.port.receiveBuffers = 16
        config.port.trains = 32
        // Tests must not depend on how busy the machine is.
        config.queue.ageNanos = 60_000_000_000
        config.frames.lifeNanos = 60_000_000_000
        config.engine.unackedCapacity = 4_096
        config.ackWaitNanos = 20_000_000
        configure(&config)
        config.port.backend = way.backend
        let mesh = LinkMesh(name, keyIDs: nodes.map(\.keyID), workers: workersEach)
        self.mesh = mesh
        plans = nodes.map { node in
            var plan = Workers.Plan(
                config: config,
                address: .loopback(port: 0),
                links: mesh.nodes[node.index].table
            )
            plan.count = workersEach
            return plan
        }
        workers = try zip(plans, nodes).map { plan, node in
            try Workers(
                plan,
                books: node.books,
                replay: node.replay,
                snapshot: node.snapshot(nodes, at: nowhere)
            )
        }
        self.nodes = nodes
        maker = PacketMaker(name, nodes, geometry: geometry)
        reports = workers.map { each in (0..<each.count).map { each.reports($0) } }
        commands = workers.map { $0.commands(0) }
        told = .init(repeating: [], count: count)
        mesh.place(workers.map(\.address))
        publish(workers.map(\.address))
        for each in workers { try each.start() }
    }

    /// Suspends a node's workers; false if they do not stop.
    func suspend(_ node: Int) -> Bool {
        workers[node].suspend()
        return wait { workers[node].isDone } && workers[node].isSuspended
    }

    /// Others go on where a node's workers were suspended.
    func resume(_ node: Int) throws {
        var plan = plans[node]
        plan.handovers = try workers[node].handOver() ?? []
        precondition(!plan.handovers.isEmpty, "not suspended")
        drain()
        workers[node] = try Workers(
            plan,
            books: nodes[node].books,
            replay: nodes[node].replay,
            snapshot: nodes[node].snapshot(nodes, at: workers.map(\.address))
        )
        reports[node] = (0..<plan.count).map { workers[node].reports($0) }
        commands[node] = workers[node].commands(0)
        try workers[node].start()
    }

    func publish(_ addresses: [DatagramAddress?]) {
        for (node, each) in zip(nodes, workers) {
            each.snapshots.publish(node.snapshot(nodes, at: addresses))
        }
    }

    /// Sends one packet from a node along a path.
    func send(_ path: [Int], from sender: Int = 0, mix: Bool = false) {
        let made = maker.make(path, from: sender)
        let taken = commands[sender].send(
            nextKeyID: nodes[path[0]].keyID,
            packet: made.bytes,
            ackChallenge: made.ackChallenge,
            mix: mix
        )
        precondition(taken, "ring full")
        workers[sender].wake(0)
    }

    /// Reads all reports.
    func drain() {
        for node in nodes.indices {
            for worker in reports[node].indices {
                while let report = reports[node][worker].next() { told[node].append(report) }
            }
        }
    }

    /// Waits until something is so; false if it is not after 20 s.
    func wait(_ condition: () -> Bool) -> Bool {
        for _ in 0..<4_000 {
            drain()
            if condition() { return true }
            usleep(5_000)
        }
        return false
    }

    /// Stops everybody; false if somebody does not stop.
    func stop(limitNanos: UInt64 = 5_000_000_000) -> Bool {
        for each in workers { each.stop(limitNanos: limitNanos) }
        return wait { workers.allSatisfy(\.isDone) }
    }

    /// Sum over a node's workers.
    func count(_ node: Int, _ counter: Counter) -> Int {
        (0..<workers[node].count).reduce(0) {
            $0 + Int(workers[node].counters($1).value(counter))
        }
    }

    /// Sum over a node's workers.
    func count(_ node: Int, _ drop: Drop) -> Int {
        (0..<workers[node].count).reduce(0) {
            $0 + Int(workers[node].counters($1).value(drop))
        }
    }

    func delivered(_ node: Int) -> Int {
        told[node].filter { if case .delivery = $0 { true } else { false } }.count
    }

    func unlocked(_ node: Int) -> Int {
        told[node].filter { if case .unlocked = $0 { true } else { false } }.count
    }

    func acknowledged(_ node: Int) -> Int {
        told[node].filter { if case .acknowledged = $0 { true } else { false } }.count
    }

    /// What became of all packets at a node that stands still.
    func ledger(_ node: Int) -> PacketLedger {
        (0..<workers[node].count).map { worker in
            let status = workers[node].status(worker)
            return PacketLedger(
                workers[node].counters(worker),
                queued: status.queued,
                held: status.held
            )
        }.reduce(PacketLedger(), +)
    }
}
