internal import Bytes
internal import Channels
internal import Crypto
internal import Datapath
internal import Exchange

/// Whose signatures the workers check by tables: issuers of tickets and neighbours, each kind under
/// its budget.
///
/// Of an issuer the ledger knows only the address; the public key comes with the first ticket,
/// whose signer a worker recovered. Packet keys stand in the register. Tables are built away from
/// the workers, which see them with the next snapshot.
struct TableDesk {
    /// A table to be built; by one thread, while the press is free.
    struct Job: Sendable {
        fileprivate let cache: TableCache
        fileprivate let place: UInt32
    }

    /// Keys that are to get tables, in the order in which they were wanted.
    private struct Wishes {
        private var keys: [Bytes64] = []
        private var known: Set<Bytes64> = []

        var count: Int { keys.count }
        var first: Bytes64? { keys.first }

        mutating func add(_ key: Bytes64) {
            if known.insert(key).inserted { keys.append(key) }
        }

        mutating func removeFirst() { known.remove(keys.removeFirst()) }

        mutating func removeAll() { self = Wishes() }
    }

    let signers: TableCache
    let verifiers: TableCache
    private let pages: MappedPages
    /// Public keys of the issuers of our channels, as far as tickets have shown them.
    private var known: [Address: Bytes64] = [:]
    private var wantedSigners = Wishes()
    private var wantedVerifiers = Wishes()

    /// Tables built between two snapshots.
    static let jobsMax = 8

    /// Takes address space for the budgets; memory is used as tables are built.
    init(_ budget: Configuration.Tables, hash: KeyedHash) throws(DatapathError) {
        let issuers = TableCache.places(.signer, budgetBytes: budget.issuersMiB << 20)
        let neighbours = TableCache.places(.verifier, budgetBytes: budget.neighboursMiB << 20)
        pages = try MappedPages(
            TableCache.byteCount(.signer, places: issuers)
                + TableCache.byteCount(.verifier, places: neighbours)
        )
        var arena = Arena(pages.region)
        signers = TableCache(&arena, .signer, places: issuers, hash: hash)
        verifiers = TableCache(&arena, .verifier, places: neighbours, hash: hash)
    }

    // MARK: who is wanted

    /// Register or channels have changed: keys of channels that opened get tables while there is
    /// room. What is full makes room for keys alone that a worker has met.
    mutating func follow(_ world: World) {
        let peers = Set(world.channels.values.filter { $0.redeemable }.map(\.peer))
        known = known.filter { peers.contains($0.key) }
        for key in known.values where hasRoom(signers, wantedSigners) {
            Self.want(key, signers, &wantedSigners)
        }
        for node in world.nodes
        where peers.contains(node.chainAddress) && hasRoom(verifiers, wantedVerifiers) {
            Self.want(TableCache.key(node.packetKey), verifiers, &wantedVerifiers)
        }
    }

    private func hasRoom(_ cache: TableCache, _ wishes: Wishes) -> Bool {
        cache.used + wishes.count < cache.tables.count
    }

    /// A worker has recovered the issuer of a ticket.
    mutating func learn(_ publicKey: Bytes64, of channel: ChannelRow?) {
        guard let channel, Secp256k1.address(affine: publicKey) == channel.peer else { return }
        known[channel.peer] = publicKey
        Self.want(publicKey, signers, &wantedSigners)
    }

    /// A worker has taken acknowledgements of a neighbour without a table.
    mutating func learn(_ node: NodeRow?) {
        guard let node else { return }
        Self.want(TableCache.key(node.packetKey), verifiers, &wantedVerifiers)
    }

    private static func want(_ key: Bytes64, _ cache: TableCache, _ wishes: inout Wishes) {
        if cache.tables.count > 0, !cache.contains(key) { wishes.add(key) }
    }

    // MARK: snapshots

    /// Writes into the rows where their keys' tables are.
    func name(_ builder: inout SnapshotBuilder) {
        builder.signers = signers.tables
        builder.verifiers = verifiers.tables
        for index in builder.nodes.indices {
            let key = TableCache.key(builder.nodes[index].packetKey)
            builder.nodes[index].verifier = verifiers.place(of: key)
        }
        for (slot, channel) in builder.channels where channel.directionValue == 0 {
            let place = known[channel.peer].map { signers.place(of: $0) }
            builder.channels[slot]?.signer = place ?? Snapshot.none
        }
    }

    /// A snapshot with these names was published.
    func stamp(generation: UInt64) {
        signers.stamp(generation: generation)
        verifiers.stamp(generation: generation)
    }

    /// Other workers read what is published from now on; those before have ended.
    func restart() {
        signers.restart()
        verifiers.restart()
    }

    // MARK: building

    /// What is to be built now; old tables make room for what finds none, which then has to wait.
    mutating func jobs(oldestInUse: UInt64) -> (jobs: [Job], hasEvicted: Bool) {
        signers.reclaim(oldestInUse: oldestInUse)
        verifiers.reclaim(oldestInUse: oldestInUse)
        let (issuers, hasEvictedIssuers) = Self.claim(signers, &wantedSigners)
        let (neighbours, hasEvictedNeighbours) = Self.claim(verifiers, &wantedVerifiers)
        return (issuers + neighbours, hasEvictedIssuers || hasEvictedNeighbours)
    }

    private static func claim(
        _ cache: TableCache,
        _ wanted: inout Wishes
    ) -> (jobs: [Job], hasEvicted: Bool) {
        var jobs: [Job] = []
        while jobs.count < jobsMax, let key = wanted.first {
            let place = cache.claim(key)
            guard place != Snapshot.none else {
                // Those that leave make room first.
                guard !cache.isLeaving else { return (jobs, false) }
                let gone = cache.makeRoom(min(jobsMax, wanted.count))
                // Whoever finds no room is reported again while it is of use.
                if gone == 0 { wanted.removeAll() }
                return (jobs, gone > 0)
            }
            wanted.removeFirst()
            jobs.append(Job(cache: cache, place: place))
        }
        return (jobs, false)
    }

    /// Takes what was built into use.
    func finish(_ jobs: [Job], _ built: [Bool]) {
        for (job, isBuilt) in zip(jobs, built) { job.cache.finish(job.place, isBuilt: isBuilt) }
    }
}

extension TableDesk.Job {
    /// Builds the table; false if the key is none.
    func build() -> Bool { cache.build(place) }
}
