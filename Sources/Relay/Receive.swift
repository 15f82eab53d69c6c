internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

extension Worker {
    /// A turn that begins so much too late was held up by something else than work.
    private static var stallNanos: UInt64 { @_noLocks get { 50_000_000 } }
    /// Most times that it looks for datagrams in a turn.
    private static var roundsMax: Int { @_noLocks get { 16 } }

    /// Waits for datagrams, unless there is something else to do, and takes what has come.
    @_noLocks
    mutating func receive() {
        // A sleeping worker holds on to nothing: neither to sessions nor to a snapshot.
        links.leave()
        let rest = restNanos()
        if !waitForDatagrams(rest) { board.set(.failed) }
        links.enter()
        turnNanos = port.nanos()
        // The turn before began so long ago, and rest was all there was to do since.
        if turns > 0, turnNanos &- batch.nowNanos > rest + Worker.stallNanos {
            board.cells.bump(WorkerBoard.Cell.stalls)
        }
        batch.reset(nowNanos: turnNanos)
        snapshot = snapshots.current()
        if var tap {
            isTapped = tap.obey()
            self.tap = tap
        }
        arrived = port.take()
    }

    /// Takes what has come since, if the last ones were as many as can be taken: a flood must not
    /// fill the socket's buffer while packets are worked on.
    @_noLocks
    mutating func receiveMore(_ round: Int) -> Bool {
        guard arrived == Port.arrivalsMax, round < Worker.roundsMax else { return false }
        if !port.wait(want: 1, batchNanos: 0, timeoutNanos: 0) { board.set(.failed) }
        arrived = port.take()
        return arrived > 0
    }

    /// One arrival ends the wait while there is little to do. Under load, thirty-two do, or 50 µs:
    /// half the system calls for a delay that mixing hides.
    @_noLocks
    private func waitForDatagrams(_ restNanos: UInt64) -> Bool {
        let isBusy = load >= 3 * 8
        return port.wait(
            want: isBusy ? 32 : 1,
            batchNanos: isBusy ? 50_000 : 0,
            timeoutNanos: restNanos
        )
    }

    /// How long nothing is due.
    @_noLocks
    private func restNanos() -> UInt64 {
        if commandsWait || queue.count > 0 { return 0 }
        let now = port.nanos()
        var due = now + config.idleNanos
        if let next = wheel.nextNanos { due = min(due, next) }
        if isPaced { return max(now, min(due, clock.nextNanos)) - now }
        if acks.oldest != AckQueue.none { due = min(due, acks.dueNanos(acks.oldest)) }
        return due > now ? due - now : 0
    }
}
