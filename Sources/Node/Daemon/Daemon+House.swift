internal import Bytes
internal import Chain
internal import Channels
internal import Datapath
internal import Exchange
internal import Relay
internal import Synchronization
internal import Tickets

/// Why a node ends.
enum HouseEnd: Equatable {
    /// Somebody wants it.
    case stop
    /// It cannot go on.
    case failure
    /// A program takes its place.
    case upgrade(String)
}

extension Daemon {
    private static let redeemTick: UInt64 = 1_000_000_000

    /// What has to be done about once a second, until there is a reason to end.
    func keepHouse(_ signals: Signals, _ entry: EntryOptions?) -> HouseEnd {
        var house = House(daemon: self)
        var view = LedgerView()
        var hasView = false
        while true {
            switch signals.next(millis: 100) {
            case .stop: return .stop
            case .reload: reload()
            case nil: break
            }
            if entry != nil { followPaths(&view, &hasView) }
            if money.failure != nil { return .failure }
            if threads?.statuses.contains(where: { $0.state == .failed }) == true {
                logger.log(.error, "a packet thread has ended: the kernel refused its ring")
                return .failure
            }
            if entry?.isDone() == true { return .stop }
            if let path = wish.withLock({ $0 }) { return .upgrade(path) }
            press.buildTables()
            house.tick(MonotonicClock.nanos())
        }
    }

    /// Keeps the map of channels for paths up to date.
    private func followPaths(_ view: inout LedgerView, _ hasView: inout Bool) {
        do throws(ChainError) {
            if hasView {
                if try view.follow(layer).isEmpty { return }
            } else {
                view = try LedgerView(of: layer)
                hasView = true
            }
            gateway.update(PathFinder(view))
        } catch {
            // The follower reports a ledger that is gone.
        }
    }

    /// Reads keys and targets again.
    func reload() {
        takeNewKeys()
        do throws(ConfigurationErrors) {
            let fresh = try Configuration.load(configuration.file)
            gateway.reload(fresh.exit.targets)
            logger.log(.info, "reloaded")
        } catch {
            for issue in error.issues { logger.log(.error, issue.description) }
        }
    }

    /// Announces a packet key that was made since the start and serves it, the old one for its
    /// grace.
    func takeNewKeys() {
        do throws(KeystoreError) {
            guard try keys.reload() else { return }
        } catch {
            return logger.log(.error, "\(error)")
        }
        do throws(StartError) {
            try announce()
            logger.log(.info, "new packet key announced")
        } catch {
            logger.log(.error, "\(error)")
        }
    }

    /// Packet threads start anew when the key they serve is no longer the current one.
    func changeThreads() {
        guard press.isOutdated else { return }
        threads?.stop(seconds: 1)
        links.release()
        syncReplay()
        let done = WorkerSums(threads?.counters ?? [])
        do throws(StartError) {
            try startThreads()
            pastSums.withLock { $0.add(done) }
            logger.log(.info, "serving a new packet key")
        } catch {
            logger.log(.error, "\(error)")
        }
    }

    /// A neighbour as the log names it.
    func name(_ keyID: UInt32) -> String {
        if keyID == .max { return "unregistered" }
        let node = press.world.nodes.first { $0.keyID == keyID }
        return node.map { "0x\($0.chainAddress.hex)" } ?? "key-\(keyID)"
    }

    /// Writes the replay set to disk: a power cut forgets at most what came since.
    func syncReplay() {
        do throws(DatapathError) {
            try threads?.sync()
        } catch {
            logger.log(.error, "replay set: \(error)")
        }
    }
}

/// What a line about refused packets is about.
private struct Reject: Hashable {
    var keyID: UInt32
    var reason: Drop
}

/// Things that are done at their own pace.
private struct House {
    private static let second: UInt64 = 1_000_000_000

    private let daemon: Daemon
    private var nextSecond: UInt64 = 0
    private var nextRedeem: UInt64
    private var nextKeys: UInt64 = 0
    private var hasWarned = false
    private var lastChainFailure: String?
    private var reported: [Reject: UInt64] = [:]

    init(daemon: Daemon) {
        self.daemon = daemon
        nextRedeem = MonotonicClock.nanos()
    }

    mutating func tick(_ now: UInt64) {
        guard now >= nextSecond else { return }
        nextSecond = now + Self.second
        daemon.syncReplay()
        watchReplay()
        watchLedger()
        reportRejects()
        let redeemSeconds = UInt64(daemon.configuration.tickets.redeemSeconds)
        if redeemSeconds > 0, now >= nextRedeem {
            nextRedeem = now + redeemSeconds * Self.second
            daemon.runtime.redeemAll()
        }
        if now >= nextKeys {
            nextKeys = now + 5 * Self.second
            daemon.takeNewKeys()
            daemon.changeThreads()
        }
    }

    private mutating func watchReplay() {
        guard let replay = daemon.threads?.replay, replay.nearlyFull, !hasWarned else { return }
        hasWarned = true
        daemon.logger.log(
            .warning,
            "the replay set holds \(replay.used) of \(replay.capacity) tags: make the next packet "
                + "key with dray keygen --rotate"
        )
    }

    private mutating func watchLedger() {
        let failure = daemon.runtime.chainFailure.map { "\($0)" }
        guard failure != lastChainFailure else { return }
        lastChainFailure = failure
        if let failure {
            daemon.logger.log(.warning, "\(failure); relaying goes on, redeeming waits")
        } else {
            daemon.logger.log(.info, "the ledger answers again")
        }
    }

    /// One line a minute for each reason and neighbour, with what has come since the last one.
    private mutating func reportRejects() {
        guard let threads = daemon.threads else { return }
        var sums: [Reject: UInt64] = [:]
        for entry in threads.counters.flatMap(\.rejects.entries) {
            sums[Reject(keyID: entry.keyID, reason: entry.reason), default: 0] += entry.count
        }
        // Fewer than before: the workers are new ones.
        for (reject, count) in sums where count != reported[reject] ?? 0 {
            let known = reported[reject] ?? 0
            let fresh = count > known ? count - known : count
            let isLogged = daemon.logger.reject(
                code: reject.reason.code,
                peer: daemon.name(reject.keyID),
                count: fresh
            )
            if isLogged { reported[reject] = count }
        }
    }
}
