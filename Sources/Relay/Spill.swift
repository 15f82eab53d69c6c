internal import Bytes
internal import Datapath
internal import Exchange

extension Worker {
    /// A neighbour of a socket that is busier than others: whole batches go to the next worker
    /// while that one has nothing to do. What it gives away, it gives away for good: mixing and
    /// sending are the other's.
    @_noLocks
    mutating func spill() {
        guard let backlog else { return }
        takeSpilled()
        backlog.post(number, queue.count)
        giveAway(backlog)
    }

    @_noLocks
    mutating func takeSpilled() {
        guard var reader = spillIn else { return }
        while let given = reader.next() {
            counters.count(.spilledIn, by: UInt64(given.count))
            for index in 0..<given.count {
                enqueue(
                    given.packet(index),
                    SlotNote(keyID: given.keyID(index), cameNanos: given.cameNanos(index)),
                    row: given.row(index)
                )
            }
            reader.release()
        }
        spillIn = reader
    }

    @_noLocks
    private mutating func giveAway(_ backlog: BacklogBoard) {
        guard var writer = spillOut else { return }
        defer { spillOut = writer }
        let next = (number + 1) % backlog.workers
        let gives = SpillRule.gives(
            backlog: queue.count,
            other: backlog.packets(next),
            isOnTheWay: !writer.isEmpty
        )
        guard gives, stopNanos == 0 else { return }
        let wanted = min(SpillRule.count(backlog: queue.count), waiting.count)
        let count = queue.take(into: waiting, most: wanted)
        guard count > 0, let given = writer.begin(count) else { return giveBack(count) }
        for place in 0..<count {
            let slot = waiting[place]
            let note = notes[Int(slot)]
            given.put(
                place,
                slab.packet(slot, packetBytes),
                keyID: note.keyID,
                row: queue.row(slot),
                cameNanos: note.cameNanos
            )
            pool.give(slot, from: .queue)
        }
        writer.end()
        counters.count(.spilledOut, by: UInt64(count))
        if let bell = backlog.bell(next) { bell.ring() }
    }

    /// There was no room after all: the ring holds four batches, and one was on its way at most.
    @_noLocks
    private mutating func giveBack(_ count: Int) {
        for place in 0..<count { dropQueued(waiting[place], .queueFull) }
    }
}
