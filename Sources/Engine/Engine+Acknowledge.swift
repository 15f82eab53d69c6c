public import Bytes
public import Exchange
internal import Sphinx
public import Tickets

extension Engine {
    /// Takes the acknowledgements of a lane's packet, whose layout was checked.
    @_noLocks
    mutating func takePacket(
        _ lane: Int,
        _ payload: Region,
        from node: UInt32,
        _ snapshot: Snapshot,
        nowNanos: UInt64
    ) {
        guard let acks = acks(payload) else { return }
        take(acks, from: node, checked: desk.first[lane], snapshot, nowNanos: nowNanos)
    }

    /// Takes up to 64 acknowledgements from a neighbour; what they open is reported.
    ///
    /// - Parameter node: row of the node table; one that is out of range is counted as unexpected.
    @_noLocks
    public mutating func acknowledge(
        _ acks: Column<Acknowledgement>,
        from node: UInt32,
        snapshot: Snapshot,
        nowNanos: UInt64
    ) {
        let count = min(acks.count, Batch.capacity)
        take(
            acks.region.column(0, count: count),
            from: node,
            checked: AckDesk.none,
            snapshot,
            nowNanos: nowNanos
        )
    }

    /// - Parameter checked: where the check's results begin; `none` if there was none yet.
    @_noLocks
    private mutating func take(
        _ acks: Column<Acknowledgement>,
        from node: UInt32,
        checked: UInt32,
        _ snapshot: Snapshot,
        nowNanos: UInt64
    ) {
        counters.count(.acksIn, by: UInt64(acks.count))
        guard Int(node) < snapshot.nodes.count, isExpected(node, snapshot) else {
            counters.count(.ackUnexpected, by: UInt64(acks.count))
            return
        }
        let start =
            checked == AckDesk.none ? checkAlone(acks, from: node, snapshot) : Int(checked)
        var good: LaneMask = 0
        for lane in 0..<acks.count {
            let code = Drop(index: desk.code[start + lane])
            if code.index == 0 { good |= 1 << LaneMask(lane) } else { counters.count(code) }
            desk.node[lane] = node
        }
        if good != 0 { tellVerifier(node, snapshot, nowNanos: nowNanos) }
        let hints = desk.hints(from: start, count: acks.count)
        var unknown = open(acks, hints: hints, lanes: good, snapshot, nowNanos: nowNanos)
        while let lane = unknown.popFirst() {
            offer(
                halfKey: acks.region(lane).slice(0, 32),
                hint: hints.region(lane),
                keyID: snapshot.nodes[Int(node)].keyID,
                turns: config.workers - 1
            )
        }
    }

    /// True if the neighbour owes us an acknowledgement, or may owe one to another worker.
    @_noLocks
    func isExpected(_ node: UInt32, _ snapshot: Snapshot) -> Bool {
        if others != nil || peers.awaited(snapshot.nodes[Int(node)].keyID) > 0 { return true }
        let alias = snapshot.nodes[Int(node)].alias
        guard Int(alias) < snapshot.nodes.count else { return false }
        return peers.awaited(snapshot.nodes[Int(alias)].keyID) > 0
    }

    /// Looks up what half-keys open, reports it and forgets it: up to 64 that were checked, each
    /// with its node in `desk.node`.
    ///
    /// - Returns: the lanes that nothing here waits for.
    @_noLocks
    mutating func open(
        _ acks: Column<Acknowledgement>,
        hints: Column<Bytes33>,
        lanes mask: LaneMask,
        _ snapshot: Snapshot,
        nowNanos: UInt64
    ) -> LaneMask {
        let (found, unknown) = look(hints, mask, snapshot, nowNanos: nowNanos)
        guard found != 0 else { return unknown }
        var paid: LaneMask = 0
        var left = found
        while let lane = left.popFirst() {
            let place = desk.place[lane]
            guard table.value(place).channel != Snapshot.none else { continue }
            lanes.ownHalfKey.region(lane).copy(table.ownHalfKey(place), to: 0)
            paid |= 1 << LaneMask(lane)
        }
        let answered = respond(acks, paid)
        counters.count(.ackResponse, by: UInt64((paid & ~answered).nonzeroBitCount))
        left = found & ~paid | answered
        while let lane = left.popFirst() { report(lane, nowNanos: nowNanos) }
        zeroize(lanes.ownHalfKey.region)
        zeroize(lanes.response.region)
        return unknown
    }

    /// Finds the entries of hints. A second acknowledgement of one packet finds nothing, as if it
    /// had come later.
    @_noLocks
    private func look(
        _ hints: Column<Bytes33>,
        _ mask: LaneMask,
        _ snapshot: Snapshot,
        nowNanos: UInt64
    ) -> (found: LaneMask, unknown: LaneMask) {
        var (found, unknown): (LaneMask, LaneMask) = (0, 0)
        var left = mask
        while let lane = left.popFirst() {
            lanes.sought.digest[lane] = table.digest(hints.region(lane))
        }
        table.touch(lanes.sought, mask)
        left = mask
        while let lane = left.popFirst() {
            let bit: LaneMask = 1 << LaneMask(lane)
            let place = table.find(hints.region(lane), lanes.sought.digest[lane])
            if place == UnackedTable.none || table.isLate(place, nowNanos: nowNanos)
                || isTaken(place, found)
            {
                unknown |= bit
            } else if isFrom(table.value(place).nextKeyID, desk.node[lane], snapshot) {
                desk.place[lane] = place
                found |= bit
            } else {
                counters.count(.ackWrongPeer)
            }
        }
        return (found, unknown)
    }

    @_noLocks
    private func isTaken(_ place: UInt32, _ found: LaneMask) -> Bool {
        var left = found
        while let lane = left.popFirst() {
            if desk.place[lane] == place { return true }
        }
        return false
    }

    @_noLocks
    private func isFrom(_ keyID: UInt32, _ node: UInt32, _ snapshot: Snapshot) -> Bool {
        if snapshot.nodes[Int(node)].keyID == keyID { return true }
        let alias = snapshot.nodes[Int(node)].alias
        return Int(alias) < snapshot.nodes.count && snapshot.nodes[Int(alias)].keyID == keyID
    }

    /// Responses of the lanes whose own half-keys are there; the lanes that have one which opens
    /// its ticket.
    @_noLocks
    private func respond(_ acks: Column<Acknowledgement>, _ paid: LaneMask) -> LaneMask {
        let answered = tickets.responses(
            ownHalfKeys: lanes.ownHalfKey,
            acknowledgements: acks,
            lanes: paid,
            into: lanes.response
        )
        guard config.rechecksResponses else { return answered }
        var left = answered
        while let lane = left.popFirst() {
            var ticket = Ticket()
            let bytes = lanes.ticketBytes.region(0)
            table.writeTicket(desk.place[lane], to: bytes)
            _ = Ticket.parse(bytes, into: &ticket)
            desk.ticket[lane] = ticket
        }
        return tickets.checkResponses(desk.ticket, responses: lanes.response, lanes: answered)
    }

    /// Reports what a lane opened and forgets it.
    @_noLocks
    private mutating func report(_ lane: Int, nowNanos: UInt64) {
        let place = desk.place[lane]
        let (entry, digest) = (table.value(place), lanes.sought.digest[lane])
        guard entry.channel != Snapshot.none else {
            let hint: Bytes33 = table.hint(place).load(0)
            if !reports.acknowledged(keyID: entry.nextKeyID, hint: hint) {
                counters.count(.reportsLost)
            }
            return forget(place, entry, digest)
        }
        let ticket = lanes.ticketBytes.region(0)
        table.writeTicket(place, to: ticket)
        let told = reports.unlocked(
            channel: entry.channel,
            ticket: ticket,
            response: lanes.response[lane],
            atNanos: nowNanos
        )
        guard told else {
            // The ticket stays: the neighbour may acknowledge again, or it expires.
            return counters.count(.reportsLost)
        }
        counters.count(.ticketsUnlocked)
        forget(place, entry, digest)
    }

    @_noLocks
    private func forget(_ place: UInt32, _ entry: UnackedTable.Entry, _ digest: UInt64) {
        peers.change(next: entry.nextKeyID, previous: entry.previousKeyID, by: -1)
        table.remove(place, digest)
    }

    // MARK: time

    /// Voids tickets whose acknowledgement did not come in time: reservations are given back.
    ///
    /// Those of a time slice, a sixteenth of the time to live, go together when the last of them
    /// is over; until then an acknowledgement that is late is unknown.
    ///
    /// - Parameter budget: most entries looked at; the rest waits for the next call.
    @_noLocks
    public mutating func expire(nowNanos: UInt64, budget: Int = 256) {
        var budget = budget
        while budget > 0 {
            let count = table.over(nowNanos: nowNanos, into: lanes.sought, budget: &budget)
            guard count > 0 else { return }
            budget -= count
            for lane in 0..<count {
                guard giveUp(lanes.sought.place[lane], lanes.sought.digest[lane]) else { return }
            }
        }
    }

    /// Voids one ticket; false if nobody can be told, so that it must stay.
    @_noLocks
    private mutating func giveUp(_ place: UInt32, _ digest: UInt64) -> Bool {
        let entry = table.value(place)
        if entry.channel != Snapshot.none {
            var ticket = Ticket()
            let bytes = lanes.ticketBytes.region(0)
            table.writeTicket(place, to: bytes)
            _ = Ticket.parse(bytes, into: &ticket)
            guard
                reports.released(
                    channel: entry.channel,
                    index: ticket.index,
                    amount: ticket.amount,
                    reason: .noAck
                )
            else { return false }
            books.release(entry.channel, ticket.amount)
            counters.count(.noAck)
        }
        forget(place, entry, digest)
        return true
    }

    /// Remembers a packet of our own, so that its acknowledgement is recognised.
    ///
    /// - Returns: false if there is no room or the challenge is awaited already.
    @_noLocks
    public mutating func registerSent(
        keyID: UInt32,
        ackChallenge: Bytes33,
        snapshot: Snapshot,
        nowNanos: UInt64
    ) -> Bool {
        desk.hint[0] = ackChallenge
        let hint = desk.hint.region(0)
        let digest = table.digest(hint)
        let own = snapshot.headerColumn[0].keyIDs[0]
        guard !table.isFull, peers.awaited(keyID) < share(snapshot),
            table.find(hint, digest) == UnackedTable.none
        else { return false }
        lanes.response[0] = Bytes32()
        table.insert(
            UnackedTable.Entry(
                nextKeyID: keyID,
                previousKeyID: own,
                channel: Snapshot.none
            ),
            hint: hint,
            digest,
            ownHalfKey: lanes.response.region(0),
            ticketOf: Ticket(),
            nowNanos: nowNanos
        )
        peers.change(next: keyID, previous: own, by: 1)
        return true
    }
}
