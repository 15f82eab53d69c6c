internal import Bytes
internal import Crypto
internal import Engine
internal import Exchange
internal import Sphinx
internal import Synchronization
internal import Tickets

/// What the packet threads are made of.
struct WorkersSetup: Sendable {
    var configuration: Configuration
    var geometry: Geometry
    var books: ChannelBooks
    var listen: Endpoint
}

/// The packet threads, from control's side.
final class Workers: @unchecked Sendable {
    private static let ringBytes = 4 << 20
    private let setup: WorkersSetup
    private let cell: SnapshotCell
    private let memory: [Memory]
    private let replays: [ReplaySet]
    private var reader: ReportReader
    private var thread: ControlThread?
    private let phase = Atomic<Int>(0)
    private let socket: UDPSocket
    let commands: [CommandWriter]
    let counters: [Counters]

    init(
        _ setup: WorkersSetup,
        cell: SnapshotCell,
        identities: [PacketIdentity]
    ) throws(StartError) {
        self.setup = setup
        self.cell = cell
        do throws(SystemError) {
            socket = try UDPSocket(bind: setup.listen)
        } catch {
            throw .failed(error.description)
        }
        let capacity = setup.configuration.replay.tags
        let hash = KeyedHash(UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        var config = EngineConfig(geometry: setup.geometry, hash: hash)
        config.unackedCapacity = setup.configuration.tickets.unacknowledged
        config.ackTTLNanos = UInt64(setup.configuration.acknowledgements.ttlSeconds) * 1_000_000_000
        let sizes = [
            Engine.byteCount(for: config), RecordRing.byteCount(capacity: Self.ringBytes),
            RecordRing.byteCount(capacity: Self.ringBytes), Counters.byteCount,
        ]
        memory =
            sizes.map { Memory($0) }
            + identities.map { _ in
                Memory(ReplaySet.byteCount(capacity: capacity))
            }
        replays = memory[4...].compactMap { ReplaySet($0.region, capacity: capacity, hash: hash) }
        reader = ReportReader(memory[1].region)
        commands = [CommandWriter(memory[2].region)]
        counters = [Counters(memory[3].region)]
        self.config = config
    }

    private let config: EngineConfig

    var replay: (used: UInt64, capacity: UInt64, nearlyFull: Bool) {
        (replays[0].count, replays[0].capacity, replays[0].nearlyFull)
    }

    func drain(_ take: (Report) -> Void) {
        while let report = reader.next() { take(report) }
    }

    func start() {
        thread = ControlThread("worker") { [self] in loop() }
    }

    func sync() {}

    func stop(seconds: Int) {
        phase.store(1, ordering: .releasing)
        thread?.join()
    }

    private func loop() {
        let geometry = setup.geometry
        let seed = Memory(32)
        Random.fill(seed.region)
        var engine = Engine(
            memory[0].region,
            config: config,
            seed: seed.region,
            books: setup.books,
            replay: replays[0],
            reports: memory[1].region,
            counters: memory[3].region
        )
        if replays.count > 1 { engine.previousReplay = replays[1] }
        var snapshots = cell.reader(worker: 0)
        var commands = CommandReader(memory[2].region)
        let slabMemory = Memory(64 * 4_096)
        let slab = Slab(region: slabMemory.region, stride: 4_096)
        var batch = Batch()
        var held: [(due: UInt64, bytes: [UInt8], to: Endpoint)] = []
        var acks: [UInt32: (since: UInt64, keys: [Bytes32])] = [:]
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let keyMemory = Memory(32 * 64)
        var arena = Arena(keyMemory.region)
        let keys = arena.column(Bytes32.self, 64)
        var stopAt: UInt64 = .max
        func delay() -> UInt64 {
            switch setup.configuration.mixing.delay {
            case .uniform(let low, let high): UInt64.random(in: UInt64(low)...UInt64(high)) * 1_000
            case .exponential(let mean, _): UInt64(mean) * 1_000
            }
        }
        while true {
            let snapshot = snapshots.current()
            _ = UDPSocket.wait([socket.file], millis: 1)
            let now = MonotonicClock.nanos()
            if phase.load(ordering: .acquiring) == 1, stopAt == .max {
                stopAt = now + 2_000_000_000
            }
            if stopAt < now
                || (stopAt != .max && held.isEmpty && acks.isEmpty && engine.awaited == 0)
            {
                break
            }
            batch.reset(nowNanos: now)
            while batch.count < 64, let (bytes, from) = socket.receive(&buffer) {
                let node = snapshot.node(endpoint: from)
                guard node != Snapshot.none else {
                    counters[0].count(.sourceUnknown)
                    continue
                }
                guard bytes.count == geometry.packetBytes else {
                    counters[0].count(.packetSize)
                    continue
                }
                let slot = UInt32(batch.count)
                slab.packet(slot, bytes.count).store(bytes: bytes, 0)
                batch.append(slot: slot, byteCount: UInt32(bytes.count), source: node)
            }
            if batch.count > 0 {
                engine.process(&batch, slab: slab, snapshot: snapshot)
                var left = engine.outcome.forwarded
                while let lane = left.popFirst() {
                    let bytes = slab.packet(batch.slot[lane], geometry.packetBytes).array
                    let to = snapshot.nodes[Int(engine.nextNode(lane))].endpoint
                    held.append((now + delay(), bytes, to))
                }
                left = engine.outcome.acknowledge
                while let lane = left.popFirst() {
                    let id = snapshot.nodes[Int(batch.source[lane])].keyID
                    acks[id, default: (now, [])].keys.append(engine.ackKey(lane))
                }
            }
            while let command = commands.next() {
                let node = snapshot.node(keyID: command.keyID)
                if command.isSend, node != Snapshot.none {
                    if command.hasAckChallenge {
                        _ = engine.registerSent(
                            keyID: command.keyID,
                            ackChallenge: command.ackChallenge,
                            snapshot: snapshot,
                            nowNanos: now
                        )
                    }
                    counters[0].count(.made)
                    held.append(
                        (now + delay(), command.packet.array, snapshot.nodes[Int(node)].endpoint)
                    )
                }
                if !command.isSend {
                    acks[command.keyID, default: (now, [])].keys.append(command.ackKey)
                }
                commands.release()
            }
            for (id, queue) in acks {
                let wait = UInt64(setup.configuration.acknowledgements.waitMillis) * 1_000_000
                guard queue.keys.count >= geometry.ackCapacity || queue.since + wait <= now else {
                    continue
                }
                acks[id] = nil
                let node = snapshot.node(keyID: id)
                guard node != Snapshot.none else { continue }
                var rest = queue.keys[...]
                while !rest.isEmpty {
                    let part = rest.prefix(geometry.ackCapacity)
                    rest = rest.dropFirst(part.count)
                    for (index, key) in part.enumerated() { keys[index] = key }
                    let packet = slab.packet(0, geometry.packetBytes)
                    if engine.makeAckPacket(
                        to: node,
                        halfKeys: keys,
                        count: part.count,
                        packet: packet,
                        snapshot: snapshot
                    ) {
                        socket.send(packet.array, to: snapshot.nodes[Int(node)].endpoint)
                    }
                }
            }
            for packet in held where packet.due <= now {
                socket.send(packet.bytes, to: packet.to)
                counters[0].count(.packetsOut)
            }
            held.removeAll { $0.due <= now }
            engine.expire(nowNanos: now)
        }
    }
}
