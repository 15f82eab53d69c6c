internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange
internal import Link

extension Worker {
    private static var busyNanos: UInt64 { @_noLocks get { 1_000_000_000 } }
    private static var boardEveryNanos: UInt64 { @_noLocks get { 100_000_000 } }
    /// Turns after which nothing may be allocated any more.
    private static var warmTurns: UInt64 { @_noLocks get { 1_000 } }

    /// What is due from time to time: tickets without acknowledgement, the board, stopping.
    @_noLocks
    mutating func housekeep() {
        turns += 1
        engine.expire(nowNanos: batch.nowNanos)
        frames.expire(nowNanos: batch.nowNanos)
        // Handshakes can wait when packets must.
        if queue.count > config.queue.packets / 2 {
            gate.setBusy(untilNanos: batch.nowNanos + Worker.busyNanos)
        }
        if stopNanos == 0, board.stopNanos != 0 {
            stopNanos = board.stopNanos
            board.set(.stopping)
        }
        if batch.nowNanos &- boardNanos >= Worker.boardEveryNanos || stopNanos != 0 { post() }
        if stopNanos != 0, isDrained { finish() } else if board.suspends { suspend() }
    }

    /// Tells control whose packets of this batch were refused.
    @_noLocks
    func noteRejects() {
        var left = LaneMask.first(batch.count) & ~batch.live
        while let lane = left.popFirst() {
            let reason = batch.verdict(lane)
            guard reason.index != 0 else { continue }
            let source = Int(batch.source[lane])
            let isKnown = source < snapshot.nodes.count
            counters.rejects.note(keyID: isKnown ? snapshot.nodes[source].keyID : .max, reason)
        }
    }

    /// Nothing waits any more, or all that waits is acknowledgements that are late.
    private var isDrained: Bool {
        @_noLocks
        get {
            guard batch.nowNanos < stopNanos else { return true }
            return heldCount == 0 && queue.count == 0 && acks.count == 0 && !commandsWait
                && engine.awaited == 0
        }
    }

    @_noLocks
    private mutating func finish() {
        post()
        links.leave()
        board.set(.done)
    }

    @_noLocks
    mutating func post() {
        boardNanos = batch.nowNanos
        let cells = board.cells
        cells.store(UInt64(heldCount), WorkerBoard.Cell.held)
        cells.store(UInt64(engine.awaited), WorkerBoard.Cell.awaited)
        cells.store(UInt64(acks.count), WorkerBoard.Cell.acksWaiting)
        cells.store(UInt64(queue.count), WorkerBoard.Cell.queued)
        cells.store(turns, WorkerBoard.Cell.turns)
        postAllocated()
        postPort()
        obeyCheck()
    }

    @_noLocks
    private mutating func postPort() {
        let cells = board.cells
        let port = port.statistics
        cells.store(past.enters + port.enters, WorkerBoard.Cell.port)
        cells.store(past.dry + port.dry, WorkerBoard.Cell.port + 1)
        cells.store(past.receiveErrors + port.receiveErrors, WorkerBoard.Cell.port + 2)
        cells.store(past.sendErrors + port.dropped, WorkerBoard.Cell.port + 3)
        cells.store(self.port.socket.drops, WorkerBoard.Cell.port + 4)
        cells.store(past.trains + port.trains, WorkerBoard.Cell.port + 5)
        cells.store(past.segmentationOff + port.segmentationOff, WorkerBoard.Cell.port + 6)
        // Packets of trains that the kernel did not take.
        counters.count(.sendFailed, by: port.packetsLost - lostSeen)
        lostSeen = port.packetsLost
    }

    @_noLocks
    private mutating func postAllocated() {
        let allocated = threadAllocated()
        if turns < Worker.warmTurns || allocatedWarm < 0 { allocatedWarm = allocated }
        board.cells.store(
            UInt64(truncatingIfNeeded: allocated - allocatedWarm),
            WorkerBoard.Cell.allocated
        )
    }
}

@_semantics("no_performance_analysis")
private func threadAllocated() -> Int { Host.allocatedBytes ?? 0 }
