internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

/// Links of a constant rate: whatever there is to say, each sends as many datagrams. Handshakes
/// are apart.
extension Worker {
    var isPaced: Bool { @_noLocks get { clock.burst > 0 } }

    /// Packets whose time in the mixer is over wait for their link's next burst.
    @_noLocks
    mutating func queueOutgoing() {
        for place in 0..<outgoingCount {
            let slot = outgoing[place]
            let row = links.table.peer(keyID: notes[Int(slot)].keyID)
            guard row != LinkTable.none else {
                dropOutgoing(slot, .noForward)
                continue
            }
            guard pace.push(slot, row) else {
                dropOutgoing(slot, .linkPaced)
                continue
            }
            notes[Int(slot)].waitsNanos = batch.nowNanos
            pool.move(slot, from: .worker, to: .mixer)
        }
        outgoingCount = 0
        // They wait where they are kept.
        while pongs.next() != nil {}
    }

    /// The bursts that are due, on all links.
    @_noLocks
    mutating func burst() {
        let (due, missed) = clock.take(nowNanos: batch.nowNanos)
        guard due > 0 else { return }
        for row in 0..<UInt32(links.table.size.peers) where links.table.isPeer(row) {
            let session = links.table.sendingSession(row, nowNanos: batch.nowNanos)
            if session != LinkTable.none {
                counters.count(.paddingMissed, by: UInt64(missed * clock.burst))
            }
            for _ in 0..<due { burst(row, isUp: session != LinkTable.none) }
        }
    }

    /// One burst on a link.
    @_noLocks
    private mutating func burst(_ row: UInt32, isUp: Bool) {
        dropImpatient(row, isUp: isUp)
        var left = clock.burst
        while isUp, left > 0 {
            guard var train = begin(row, most: left) else { break }
            addAnswers(row, &train)
            addWaiting(row, &train)
            left -= train.writer.datagramsMax
            depart(train, least: train.writer.datagramsMax)
        }
        if isUp {
            counters.count(.paddingMissed, by: UInt64(left))
        } else {
            dropUnanswerable(row)
        }
    }

    /// Puts packets into a train, as many as fit.
    @_noLocks
    private mutating func addWaiting(_ row: UInt32, _ train: inout Train) {
        while let slot = pace.first(row) {
            let note = notes[Int(slot)]
            // The row was another neighbour's, which has left the register.
            let isTheirs = links.table.keyID(row) == note.keyID
            if isTheirs {
                let packet = slab.packet(slot, packetBytes)
                guard train.writer.add(.packet, packet) else { return }
                train.packets += 1
                noteOut(.packet, packet, row)
                if note.cameNanos != 0 { counters.latency.add(batch.nowNanos - note.cameNanos) }
            } else {
                counters.count(.noForward)
            }
            pace.pop(row)
            pool.give(slot, from: .mixer)
        }
    }

    /// Packets that have waited too long.
    @_noLocks
    private mutating func dropImpatient(_ row: UInt32, isUp: Bool) {
        while let slot = pace.first(row) {
            let waited = batch.nowNanos - notes[Int(slot)].waitsNanos
            guard waited >= Worker.patienceNanos else { break }
            counters.count(isUp ? .linkPaced : .linkDown)
            pace.pop(row)
            pool.give(slot, from: .mixer)
        }
    }

    /// There is no link: what waits wants one, or is of no use by then.
    @_noLocks
    private mutating func dropUnanswerable(_ row: UInt32) {
        if pace.first(row) != nil || acks.count(row) > 0 { links.table.want(row) }
        _ = pongs.take(row)
        postponeAcks(row)
    }
}
