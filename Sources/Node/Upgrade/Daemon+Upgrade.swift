internal import Bytes
internal import Channels
internal import Crypto
internal import Datapath
internal import Exchange
internal import JSON
internal import Relay
internal import Synchronization

extension Daemon {
    /// Asks whether a program could go on. If it can, it is tried soon.
    func prepareUpgrade(_ binary: String?, millis: Int) throws(AdminError) -> JSON {
        guard let program = program.withLock({ $0 }) else {
            throw AdminError("this node is no `dray run`: flows of an entry cannot be handed over")
        }
        guard wish.withLock({ $0 == nil }) else { throw AdminError("an upgrade is under way") }
        let path = binary ?? program.path
        let stamp: StateStamp
        do throws(StartError) {
            stamp = try StateStamp(configuration)
        } catch {
            throw AdminError(error.description)
        }
        if let refusal = UpgradeCheck.ask(path, program, stamp, millis: millis) {
            logger.log(.warning, "upgrade refused: \(refusal)")
            throw AdminError(refusal)
        }
        let record = upgrades.withLock { upgrades in
            upgrades.attempts += 1
            upgrades.failure = ""
            return upgrades
        }
        wish.withLock { $0 = path }
        return [
            "attempt": .integer(record.attempts), "done": .integer(record.done),
            "from": .string(Version.text),
        ]
    }

    /// Threads of control that end before another program goes on.
    struct Control {
        let money: ControlThread
        let links: ControlThread
        let gateway: ControlThread
        let gatewayStop: StopFlag
    }

    /// Stops everything where it is and becomes the program in `path`; or, if that cannot be run,
    /// this one again. Returns if nothing can be handed over, with a reason.
    func becomeProgram(_ path: String, _ control: Control) -> String {
        guard let program = program.withLock({ $0 }), let threads else { return "no program" }
        links.stop()
        control.links.join()
        // Its turn may take long: packets flow meanwhile, and reports wait.
        money.stop()
        control.money.join()
        let frozenNanos = MonotonicClock.nanos()
        guard threads.suspend() else { return "a packet thread did not stop" }
        // What was reported goes to disk; what was delivered goes out, and its answers into the
        // rings that the next program reads.
        money.takeLast()
        control.gatewayStop.raise()
        gateway.wake()
        control.gateway.join()
        runtime.abandon()
        if let failure = money.failure { return "\(failure)" }
        do throws(DatapathError) {
            guard let workers = try threads.handOver() else { return "a packet thread has failed" }
            let left = try links.handOver()
            let books = try booksMemory.share()
            let state = try handoverState(frozenNanos, threads, workers, left, books)
            closeStore()
            let reason = try become(path, program, state, threads)
            upgrades.withLock { $0.failure = "\(path): \(reason)" }
            return try become("/proc/self/exe", program, state, threads)
        } catch {
            return "\(error)"
        }
    }

    /// Returns only if the program cannot be run: why.
    private func become(
        _ path: String,
        _ program: RunningProgram,
        _ state: HandoverState,
        _ threads: PacketThreads
    ) throws(DatapathError) -> String {
        let pages = try manifest(state, threads).write()
        let descriptor = try pages.share()
        defer { Host.close(descriptor) }
        let option = ["--\(UpgradeCheck.resumeOption)", "\(descriptor)"]
        let kept = state.descriptors.map(\.number) + [descriptor]
        let reason = Program.become([path] + program.arguments + option, keeping: kept)
        zeroize(pages.region)
        return reason
    }

    private func handoverState(
        _ frozenNanos: UInt64,
        _ threads: PacketThreads,
        _ workers: [WorkerHandover],
        _ left: LinkHouse.Handed,
        _ books: Int32
    ) throws(DatapathError) -> HandoverState {
        let statuses = threads.statuses
        let stamp: StateStamp
        do throws(StartError) {
            stamp = try StateStamp(configuration)
        } catch {
            throw .notAdopted(error.description)
        }
        return HandoverState(
            stamp: stamp,
            version: Version.text,
            frozenNanos: frozenNanos,
            startNanos: startNanos,
            load: HandoverState.Load(
                held: statuses.reduce(0) { $0 + UInt64($1.held) },
                queued: statuses.reduce(0) { $0 + UInt64($1.queued) },
                awaited: statuses.reduce(0) { $0 + UInt64($1.awaited) },
                sessions: UInt64(links.sessions)
            ),
            storeTransaction: storeTransaction,
            workerHash: threads.hash,
            linkHash: left.hash,
            workers: workers,
            links: left.descriptor,
            books: books,
            channels: runtime.handover.record,
            pastSums: pastSums.withLock { $0 }
        )
    }

    private func manifest(
        _ state: HandoverState,
        _ threads: PacketThreads
    ) throws(DatapathError) -> Manifest {
        var manifest = Manifest()
        manifest.descriptors = state.descriptors
        manifest.state = state.record
        manifest.keys = keys.handed.secret
        let channels = runtime.handover
        var note = HandoverNote()
        note.upgrades = upgrades.withLock { $0 }
        for (slot, count) in try threads.ticketsAwaited(state.workers) {
            guard let channelID = channels.channelID(slot) else { continue }
            note.losses[channelID, default: 0] += count
        }
        manifest.note = note.record
        guard let current = threads.snapshots.current else { return manifest }
        manifest.snapshot = Memory(current.region.byteCount)
        manifest.snapshot.region.copy(current.region, to: 0)
        SnapshotWriter(Snapshot(manifest.snapshot.region)).forgetTables()
        return manifest
    }
}
