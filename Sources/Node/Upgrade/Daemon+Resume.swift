internal import Bytes
internal import Chain
internal import Channels
internal import Datapath
internal import Exchange
internal import Relay
internal import Sphinx
internal import Synchronization

/// What a node goes on with: packet threads that run already, and what they work on.
struct Inheritance: Sendable {
    let whole: Resumption.Whole
    let booksMemory: SharedPages
    let books: ChannelBooks
    let links: LinkHouse
    let threads: PacketThreads
    let pauseNanos: UInt64
}

extension Startup {
    /// The keys that another program had open, or those in the folder.
    static func keys(
        _ configuration: Configuration,
        _ resumption: Resumption?,
        _ logger: Logger
    ) throws(StartError) -> KeyRing {
        if let handed = resumption?.keys { return KeyRing(configuration, handed: handed) }
        return try KeyRing(configuration, logger: logger)
    }

    /// Memory for the books of a node's channels.
    static func booksMemory() throws(StartError) -> SharedPages {
        do throws(DatapathError) {
            let byteCount = ChannelBooks.byteCount(slots: Daemon.channelSlots)
            return try SharedPages(byteCount, wide: false)
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Starts packet threads where those of another program stopped; nil if that is not possible.
    /// Nothing that takes long comes before: datagrams wait in the sockets meanwhile.
    static func inherit(
        _ resumption: Resumption?,
        _ configuration: Configuration,
        _ geometry: Geometry,
        _ keys: KeyRing,
        _ logger: Logger
    ) throws(StartError) -> Inheritance? {
        guard let resumption else { return nil }
        guard let whole = resumption.whole(try StateStamp(configuration)) else { return nil }
        do throws(StartError) {
            let inherited = try inherit(whole, resumption, configuration, geometry, keys, logger)
            resumption.taken()
            return inherited
        } catch {
            resumption.giveUp(error.description)
            return nil
        }
    }

    private static func inherit(
        _ whole: Resumption.Whole,
        _ resumption: Resumption,
        _ configuration: Configuration,
        _ geometry: Geometry,
        _ keys: KeyRing,
        _ logger: Logger
    ) throws(StartError) -> Inheritance {
        let state: HandoverState
        let booksMemory: SharedPages
        do throws(DatapathError) {
            state = try resumption.share(whole).state
            booksMemory = try SharedPages(
                adopting: state.books,
                byteCount: ChannelBooks.byteCount(slots: Daemon.channelSlots)
            )
        } catch {
            throw .failed("\(error)")
        }
        let books = ChannelBooks(booksMemory.region, slots: Daemon.channelSlots)
        let links = try links(
            configuration,
            geometry,
            whole.channels.parameters.domain,
            keys,
            logger,
            handed: LinkHouse.Handed(descriptor: state.links, hash: state.linkHash)
        )
        let plan = PacketThreads.Plan(
            configuration: configuration,
            geometry: geometry,
            books: books,
            listen: try endpoint(configuration.node.listen),
            links: links,
            handovers: state.workers,
            hash: state.workerHash
        )
        let identities = Snapshot(whole.snapshot.region).identities
        let threads = try PacketThreads(plan, identities: identities, snapshot: whole.snapshot)
        links.adopt(threads)
        links.setIdentities(keys.packetKeys(of: identities))
        try threads.start()
        for _ in 0..<1_000 where !threads.isRunning { pause(millis: 1) }
        return Inheritance(
            whole: whole,
            booksMemory: booksMemory,
            books: books,
            links: links,
            threads: threads,
            pauseNanos: MonotonicClock.nanos() - state.frozenNanos
        )
    }
}

extension Daemon {
    /// Says what came of the upgrade that has led here, and keeps it.
    func noteUpgrade(_ inherited: Inheritance?) {
        guard let resumption else { return }
        guard let inherited else {
            let lost = resumption.note.losses.values.reduce(0, +)
            let reason = resumption.reason
            upgrades.withLock { $0.failure = "started anew: \(reason)" }
            logger.log(
                .error,
                "upgrade: \(reason); started anew, \(lost) unacknowledged tickets are lost"
            )
            return
        }
        let load = inherited.whole.state.load
        let failure = resumption.note.upgrades.failure
        upgrades.withLock { upgrades in
            upgrades.pauseNanos = inherited.pauseNanos
            if failure.isEmpty { upgrades.done += 1 }
        }
        let micros = inherited.pauseNanos / 1_000
        let numbers =
            "\(load.held) packets in the mixer, \(load.queued) queued, "
            + "\(load.awaited) unacknowledged tickets, \(load.sessions) sessions, "
            + "pause \(micros / 1_000).\(String(micros % 1_000 / 100)) ms"
        if failure.isEmpty {
            logger.log(.info, "upgraded from \(inherited.whole.state.version): \(numbers)")
        } else {
            logger.log(.error, "upgrade failed: \(failure); going on as before: \(numbers)")
        }
    }

    /// Puts packet threads that run already into their place.
    func join(_ threads: PacketThreads, _ identities: [PacketIdentity]) {
        press.resume(identities, in: threads.snapshots)
        connect(threads)
    }
}
