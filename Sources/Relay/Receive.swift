internal import Bytes
internal import Datapath
internal import Exchange

extension Worker {
    /// Takes the datagrams that have come, up to a batch; sleeps only if there is nothing else to
    /// do.
    @_noLocks
    mutating func receive() {
        ring.refill(from: &pool, keeping: 0)
        if !waitForDatagrams() { board.set(.failed) }
        batch.reset(nowNanos: Host.nanos())
        // After the wait: a sleeping worker must not hold on to a snapshot.
        snapshot = snapshots.current()
        let count = ring.take(max: Batch.capacity)
        var bytes: UInt64 = 0
        for index in 0..<count {
            let datagram = ring.datagram(index)
            pool.move(datagram.slot, from: .kernel, to: .worker)
            sources[index] = datagram.source
            batch.append(
                slot: datagram.slot,
                byteCount: datagram.byteCount,
                source: Snapshot.none
            )
            bytes += UInt64(datagram.byteCount)
        }
        load += count - load / 8
        counters.count(.datagramsIn, by: UInt64(count))
        counters.count(.bytesIn, by: bytes)
    }

    /// One datagram ends the wait while there is little to do. Under load, thirty-two do, or 50 µs:
    /// half the system calls for a delay that mixing hides.
    @_noLocks
    private func waitForDatagrams() -> Bool {
        let timeout = restNanos()
        let isBusy = load >= 3 * 8
        return ring.wait(
            want: isBusy ? 32 : 1,
            batchNanos: isBusy ? 50_000 : 0,
            timeoutNanos: timeout
        )
    }

    /// How long nothing is due.
    @_noLocks
    private func restNanos() -> UInt64 {
        if commandsWait { return 0 }
        let now = Host.nanos()
        var due = now + config.idleNanos
        if let next = wheel.nextNanos { due = min(due, next) }
        if acks.oldest != AckQueue.none { due = min(due, acks.dueNanos(acks.oldest)) }
        return due > now ? due - now : 0
    }
}
