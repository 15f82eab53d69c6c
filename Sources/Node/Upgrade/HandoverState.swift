internal import Bytes
internal import Channels
internal import Exchange
internal import Relay
internal import Store

/// What a program leaves to the next one, keys and snapshot apart.
struct HandoverState: Sendable {
    /// What was on its way when everything stopped, for the log.
    struct Load: Equatable, Sendable {
        var held: UInt64 = 0
        var queued: UInt64 = 0
        var awaited: UInt64 = 0
        var sessions: UInt64 = 0
    }

    /// What both must have alike.
    var stamp: StateStamp
    /// The program that stopped.
    var version: String
    /// When it stopped, and when the node was started first.
    var frozenNanos: UInt64
    var startNanos: UInt64
    var load = Load()
    /// Number of the store's last change.
    var storeTransaction: UInt64
    /// Keys of the hashes in the memory of workers and links.
    var workerHash: KeyedHash
    var linkHash: KeyedHash
    var workers: [WorkerHandover]
    var links: Int32
    var books: Int32
    var channels: [UInt8]
    /// What packet threads before the last ones have counted.
    var pastSums: WorkerSums

    /// All descriptors, as the manifest's head has them.
    var descriptors: [Manifest.Descriptor] {
        var all: [Manifest.Descriptor] = []
        for worker in workers {
            all.append(Manifest.Descriptor(kind: .socket, number: worker.socket))
            all.append(Manifest.Descriptor(kind: .memory, number: worker.memory))
            all.append(Manifest.Descriptor(kind: .memory, number: worker.rings))
        }
        return all + [links, books].map { Manifest.Descriptor(kind: .memory, number: $0) }
    }
}

// As bytes.
extension HandoverState {
    var record: [UInt8] {
        var writer = RecordWriter()
        writer.counted(Array(stamp.text.utf8))
        writer.counted(Array(version.utf8))
        writer.integer(frozenNanos)
        writer.integer(startNanos)
        for number in [load.held, load.queued, load.awaited, load.sessions] {
            writer.integer(number)
        }
        writer.integer(storeTransaction)
        for hash in [workerHash, linkHash] {
            writer.integer(hash.k0)
            writer.integer(hash.k1)
        }
        writer.integer(UInt32(workers.count))
        for worker in workers {
            for number in [worker.socket, worker.memory, worker.rings] {
                writer.integer(UInt32(bitPattern: number))
            }
        }
        writer.integer(UInt32(bitPattern: links))
        writer.integer(UInt32(bitPattern: books))
        writer.counted(channels)
        pastSums.write(&writer)
        return writer.bytes
    }

    init?(record: [UInt8]) {
        var reader = RecordReader(record)
        guard let stamp = reader.counted(), let version = reader.counted(),
            let frozen: UInt64 = reader.integer(), let start: UInt64 = reader.integer(),
            let held: UInt64 = reader.integer(), let queued: UInt64 = reader.integer(),
            let awaited: UInt64 = reader.integer(),
            let sessions: UInt64 = reader.integer(), let transaction: UInt64 = reader.integer(),
            let workerHash = Self.hash(&reader), let linkHash = Self.hash(&reader),
            let workers = Self.workers(&reader), let links = Self.descriptor(&reader),
            let books = Self.descriptor(&reader), let channels = reader.counted(),
            let sums = WorkerSums(&reader), reader.isAtEnd
        else { return nil }
        self.stamp = StateStamp(text: String(decoding: stamp, as: UTF8.self))
        self.version = String(decoding: version, as: UTF8.self)
        frozenNanos = frozen
        startNanos = start
        load = Load(held: held, queued: queued, awaited: awaited, sessions: sessions)
        storeTransaction = transaction
        self.workerHash = workerHash
        self.linkHash = linkHash
        self.workers = workers
        self.links = links
        self.books = books
        self.channels = channels
        pastSums = sums
    }

    private static func hash(_ reader: inout RecordReader) -> KeyedHash? {
        guard let k0: UInt64 = reader.integer(), let k1: UInt64 = reader.integer() else {
            return nil
        }
        return KeyedHash(k0, k1)
    }

    private static func descriptor(_ reader: inout RecordReader) -> Int32? {
        reader.integer().map { (number: UInt32) in Int32(bitPattern: number) }
    }

    private static func workers(_ reader: inout RecordReader) -> [WorkerHandover]? {
        guard let count: UInt32 = reader.integer() else { return nil }
        var workers: [WorkerHandover] = []
        for _ in 0..<count {
            guard let socket = descriptor(&reader), let memory = descriptor(&reader),
                let rings = descriptor(&reader)
            else { return nil }
            workers.append(WorkerHandover(socket: socket, memory: memory, rings: rings))
        }
        return workers
    }
}

extension WorkerSums {
    func write(_ writer: inout RecordWriter) {
        writer.integer(UInt32(counters.count))
        for (counter, count) in counters {
            writer.integer(counter.rawValue)
            writer.integer(count)
        }
        writer.integer(UInt32(drops.count))
        for (drop, count) in drops {
            writer.integer(drop.rawValue)
            writer.integer(count)
        }
        writer.integer(UInt32(latency.count))
        for (nanos, count) in latency {
            writer.integer(nanos)
            writer.integer(count)
        }
    }

    init?(_ reader: inout RecordReader) {
        self.init([])
        guard let counters: UInt32 = reader.integer() else { return nil }
        for _ in 0..<counters {
            guard let number: UInt8 = reader.integer(), let count: UInt64 = reader.integer() else {
                return nil
            }
            // One that this program does not know is left out.
            if let counter = Counter(rawValue: number) { self.counters[counter] = count }
        }
        guard let drops: UInt32 = reader.integer() else { return nil }
        for _ in 0..<drops {
            guard let number: UInt8 = reader.integer(), let count: UInt64 = reader.integer() else {
                return nil
            }
            if let drop = Drop(rawValue: number) { self.drops[drop] = count }
        }
        guard let classes: UInt32 = reader.integer() else { return nil }
        for _ in 0..<classes {
            guard let nanos: UInt64 = reader.integer(), let count: UInt64 = reader.integer() else {
                return nil
            }
            latency[nanos] = count
        }
    }
}

/// What every program can read, whatever has become of the rest: its form never changes.
struct HandoverNote: Sendable {
    /// Upgrades before this one; why this one failed, if it is this program again.
    var upgrades = UpgradeRecord()
    /// Tickets that are lost if the next program cannot go on, by channel.
    var losses: [Bytes32: UInt64] = [:]

    init() {}

    var record: [UInt8] {
        var writer = RecordWriter()
        upgrades.write(&writer)
        for (channelID, count) in losses {
            writer.fixed(channelID)
            writer.integer(count)
        }
        return writer.bytes
    }

    init?(record: [UInt8]) {
        var reader = RecordReader(record)
        guard let upgrades = UpgradeRecord(&reader) else { return nil }
        self.upgrades = upgrades
        while let channelID: Bytes32 = reader.fixed(), let count: UInt64 = reader.integer() {
            losses[channelID] = count
        }
    }
}
