internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange
internal import Link
internal import Relay
internal import Sphinx
internal import Synchronization

/// The packet threads from control's side: workers, their rings, and the replay sets they share.
///
/// Made for the packet keys of one moment; when our keys change, others take their place.
final class PacketThreads: Sendable {
    /// What they are made from.
    struct Plan: Sendable {
        var configuration: Configuration
        var geometry: Geometry
        var books: ChannelBooks
        var listen: Endpoint
        var links: LinkHouse
        /// What others left, to go on with: all of it, or sockets alone.
        var handovers: [WorkerHandover] = []
        /// Key of the hashes in their memory; nil for a new one.
        var hash: KeyedHash?
    }

    private let workers: Workers
    /// Key of the hashes in the workers' memory.
    let hash: KeyedHash
    private let replayFiles: [ReplayFile]
    private let readers: Mutex<[ReportReader]>
    private let writers: Mutex<[CommandWriter]>

    /// Takes port, memory and replay files; nothing runs yet.
    init(_ plan: Plan, identities: [PacketIdentity], snapshot: Memory) throws(StartError) {
        let configuration = plan.configuration
        let hash =
            plan.hash
            ?? KeyedHash(UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        self.hash = hash
        var files: [ReplayFile] = []
        for identity in identities {
            files.append(
                try ReplayFile(
                    folder: configuration.node.data,
                    key: identity.publicKey,
                    capacity: configuration.replay.tags,
                    hash: hash
                )
            )
        }
        replayFiles = files
        ReplayFile.removeOthers(
            folder: configuration.node.data,
            than: identities.map { $0.publicKey }
        )
        var made = Workers.Plan(
            config: PacketThreads.config(
                configuration,
                plan.geometry,
                hash,
                sizes: plan.links.sizes
            ),
            address: DatagramAddress(plan.listen),
            links: plan.links.table
        )
        made.handovers = plan.handovers
        made.count = configuration.workers.count
        made.cpus = configuration.workers.pin.isEmpty ? nil : configuration.workers.pin
        do throws(DatapathError) {
            workers = try Workers(
                made,
                books: plan.books,
                replay: files[0].set,
                previousReplay: files.count > 1 ? files[1].set : nil,
                snapshot: snapshot
            )
        } catch {
            throw .failed("\(configuration.node.listen): \(error)")
        }
        let count = workers.count
        let shared = workers
        readers = Mutex((0..<count).map { shared.reports($0) })
        writers = Mutex((0..<count).map { shared.commands($0) })
    }

    /// What the workers of a configuration are planned like, before there are links.
    static func plan(_ configuration: Configuration, _ geometry: Geometry) -> Workers.Plan {
        let size = LinkSize(
            peers: configuration.links.peers,
            workers: configuration.workers.count
        )
        let none = KeyedHash(0, 0)
        var arena = Arena()
        var plan = Workers.Plan(
            config: config(configuration, geometry, none, sizes: []),
            address: .loopback(port: 0),
            links: LinkTable(&arena, size, hash: none)
        )
        plan.count = configuration.workers.count
        return plan
    }

    /// Bytes of memory that they take by their configuration, with links and replay sets; of the
    /// packet keys two are served for a while.
    static func byteCount(_ configuration: Configuration, _ geometry: Geometry) -> Int {
        let plan = plan(configuration, geometry)
        return plan.byteCount + LinkTable.byteCount(plan.links.size)
            + 2 * ReplaySet.byteCount(capacity: configuration.replay.tags)
    }

    static func config(
        _ configuration: Configuration,
        _ geometry: Geometry,
        _ hash: KeyedHash,
        sizes: [Int]
    ) -> WorkerConfig {
        var config = WorkerConfig(geometry: geometry, hash: hash)
        config.engine.unackedCapacity = configuration.tickets.unacknowledged
        config.engine.ackTTLNanos =
            UInt64(configuration.acknowledgements.ttlSeconds) * 1_000_000_000
        config.engine.nonces = configuration.tickets.nonces
        config.engine.checksOwnTickets = configuration.tickets.selfCheck
        config.engine.tellsKeys =
            configuration.tables.issuersMiB + configuration.tables.neighboursMiB > 0
        config.ackWaitNanos = UInt64(configuration.acknowledgements.waitMillis) * 1_000_000
        switch configuration.mixing.delay {
        case .none: config.mixing = .none
        case .uniform(let most): config.mixing = .uniform(maxNanos: UInt64(most) * 1_000)
        case .exponential(let mean, let most):
            config.mixing = .exponential(
                meanNanos: UInt64(mean) * 1_000,
                maxNanos: UInt64(most) * 1_000
            )
        }
        config.mixerCapacity = configuration.mixing.capacity
        config.budget.packetsPerSecond = UInt64(configuration.workers.neighbourRate)
        config.socketBufferBytes = configuration.workers.socketBufferKiB << 10
        config.port.receiveBuffers = configuration.workers.receiveBuffers
        config.port.lengths = sizes
        config.port.segmentation = configuration.links.segmentation
        config.port.coalescing = configuration.links.coalescing
        config.constantRate = configuration.links.constantRate
        switch configuration.links.backend {
        case .automatic: config.port.backend = .automatic
        case .uring: config.port.backend = .uring
        case .syscalls: config.port.backend = .syscalls
        }
        return config
    }

    /// Where control publishes snapshots for these threads.
    var snapshots: SnapshotCell { workers.snapshots }

    /// Starts the threads.
    func start() throws(StartError) {
        do throws(DatapathError) {
            try workers.start()
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Takes no new packets, empties the mixers, waits for acknowledgements; returns when all are
    /// gone.
    func stop(seconds: Int) {
        workers.stop(limitNanos: UInt64(seconds) * 1_000_000_000)
        while !workers.isDone { pause(millis: 5) }
    }

    /// Stops all workers between two packets; false if one of them has ended otherwise, or does not
    /// stop.
    func suspend() -> Bool {
        workers.suspend()
        for _ in 0..<10_000 where !workers.isDone { pause(millis: 1) }
        return workers.isSuspended
    }

    /// What suspended workers left; nil if they are not.
    func handOver() throws(DatapathError) -> [WorkerHandover]? { try workers.handOver() }

    /// Tickets that wait for their acknowledgement there, by slot of the channel.
    func ticketsAwaited(_ left: [WorkerHandover]) throws(DatapathError) -> [UInt32: UInt64] {
        try workers.ticketsAwaited(left)
    }

    /// True if all workers take packets.
    var isRunning: Bool {
        (0..<workers.count).allSatisfy { workers.status($0).state == .running }
    }

    /// Takes what the workers have reported. One thread at a time.
    func drain(_ take: (Report) -> Void) {
        readers.withLock { readers in
            for index in readers.indices {
                while let report = readers[index].next() { take(report) }
            }
        }
    }

    /// Hands a command to a worker; false if its ring is full.
    func command(_ worker: Int, _ write: (inout CommandWriter) -> Bool) -> Bool {
        let index = worker % workers.count
        let written = writers.withLock { write(&$0[index]) }
        if written { workers.wake(index) }
        return written
    }

    /// What the workers count.
    var counters: [Counters] { (0..<workers.count).map { workers.counters($0) } }

    /// The reading ends of the workers' handshakes; take them once.
    func strangers() -> [StrangerReader] {
        (0..<workers.count).map { workers.strangers($0) }
    }

    /// The reading ends of the workers' taps; one of each at a time.
    func taps() -> [TapReader] { (0..<workers.count).map { workers.tap($0) } }

    /// Waits until the workers do as taps were told; a worker that is gone does nothing any more.
    func wait(for taps: [TapReader]) {
        for index in taps.indices {
            workers.wake(index)
            while !taps[index].isObeyed, !workers.status(index).state.isGone { pause(millis: 1) }
        }
    }

    /// Records that found no room in a tap.
    var traceDropped: UInt64 { counters.reduce(0) { $0 + $1.value(.traceDropped) } }

    /// A socket that sends as the workers do.
    func sender() -> DatagramSocket? { workers.sender() }

    /// What the workers say of themselves.
    var statuses: [WorkerStatus] { (0..<workers.count).map { workers.status($0) } }

    /// The fill of the current key's replay set.
    var replay: (used: UInt64, capacity: UInt64, nearlyFull: Bool) {
        let set = replayFiles[0].set
        return (set.count, set.capacity, set.nearlyFull)
    }

    /// Writes the replay sets to disk; throws what the disk says.
    func sync() throws(DatapathError) {
        for file in replayFiles { try file.sync() }
    }
}

/// The replay set of one packet key, in a file: a killed process forgets nothing, a power cut at
/// most what came since the last `sync`.
final class ReplayFile: Sendable {
    let set: ReplaySet
    private let file: MappedFile

    private static func name(_ key: Bytes32) -> String { "replay-\(key.hex.prefix(16)).tags" }

    /// Removes the files of keys that are served no more: a retired key never comes back.
    static func removeOthers(folder: String, than keys: [Bytes32]) {
        let kept = keys.map(name)
        for file in (try? Files.list(folder)) ?? [] {
            guard file.hasPrefix("replay-"), file.hasSuffix(".tags"), !kept.contains(file) else {
                continue
            }
            Files.remove("\(folder)/\(file)")
        }
    }

    /// Opens the file of a key in the data folder, or makes it.
    init(folder: String, key: Bytes32, capacity: Int, hash: KeyedHash) throws(StartError) {
        let path = "\(folder)/\(ReplayFile.name(key))"
        let mapped: MappedFile
        do throws(DatapathError) {
            mapped = try MappedFile(path, byteCount: ReplaySet.byteCount(capacity: capacity))
        } catch {
            throw .failed("\(error)")
        }
        guard let set = ReplaySet(mapped.region, capacity: capacity, hash: hash) else {
            throw .wrong(
                "replay.tags: \(path) was made with another size, or is damaged; "
                    + "a new size takes effect with the next packet key"
            )
        }
        self.set = set
        file = mapped
    }

    func sync() throws(DatapathError) { try file.sync() }
}
