internal import Bytes
internal import Datapath
internal import Exchange
internal import Link
internal import Tickets

extension Worker {
    /// Packets and acknowledgements become datagrams of the links to their next hops, one hop after
    /// the other in random order.
    @_noLocks
    mutating func seal() {
        guard !isPaced else {
            queueOutgoing()
            return burst()
        }
        packOutgoing()
        while acks.oldest != AckQueue.none {
            let row = acks.oldest
            guard stopNanos != 0 || acks.dueNanos(row) <= batch.nowNanos else { break }
            packAlone(row)
        }
        while let row = pongs.next() { packAlone(row) }
        checkTrains()
    }

    @_noLocks
    private mutating func packOutgoing() {
        for place in 0..<outgoingCount {
            let slot = outgoing[place]
            hops[place] = links.table.peer(keyID: notes[Int(slot)].keyID)
            // It left the register while its packet waited.
            if hops[place] == LinkTable.none { dropOutgoing(slot, .noForward) }
        }
        let count = groups.form(hops, count: outgoingCount, random: &random)
        outgoingCount = 0
        for index in 0..<count {
            let group = groups.group(index)
            pack(group.row, first: group.first, count: group.count)
        }
    }

    /// What waits for a neighbour besides packets goes now.
    @_noLocks
    mutating func packAlone(_ row: UInt32) {
        // On links of a constant rate all waits for the next burst.
        if !isPaced { pack(row, first: 0, count: 0) }
    }

    /// Sends a neighbour's acknowledgements, its pong, and `count` packets of the group that begins
    /// at `first`, in as many trains as it takes.
    @_noLocks
    private mutating func pack(_ row: UInt32, first: Int, count: Int) {
        guard var train = begin(row) else { return postpone(row, first: first, count: count) }
        addAnswers(row, &train)
        for place in first..<first + count {
            let slot = outgoing[Int(groups.place[place])]
            let packet = slab.packet(slot, packetBytes)
            if !train.writer.add(.packet, packet) {
                depart(train)
                guard let another = begin(row) else {
                    return postpone(row, first: place, count: first + count - place)
                }
                train = another
                let fits = train.writer.add(.packet, packet)
                assert(fits)
            }
            train.packets += 1
            noteOut(.packet, packet, row)
            let note = notes[Int(slot)]
            if note.cameNanos != 0 { counters.latency.add(batch.nowNanos - note.cameNanos) }
            if note.waitsNanos != 0 { linkless -= 1 }
            pool.give(slot, from: .worker)
        }
        depart(train)
    }

    /// Puts acknowledgements and a pong into a train that is empty.
    @_noLocks
    mutating func addAnswers(_ row: UInt32, _ train: inout Train) {
        while acks.count(row) > 0 {
            let count = min(acks.count(row), config.acksPerFrame)
            let text = ackText.slice(0, Acknowledgements.textBytes(count: count))
            let made = Acknowledgements.begin(text, count: count)
            for index in 0..<count { made[index] = acks.acks(row)[index] }
            guard train.writer.add(.acknowledgements, text) else { break }
            counters.count(.acksOut, by: UInt64(count))
            noteOut(.acknowledgements, text, row)
            acks.remove(row, count)
        }
        if let body = pongs.take(row), train.writer.add(.pong, body) {
            counters.count(.pongsOut)
            noteOut(.pong, body, row)
        }
    }
}
