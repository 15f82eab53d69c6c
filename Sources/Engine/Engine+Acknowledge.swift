public import Bytes
public import Exchange
internal import Crypto
internal import Sphinx
public import Tickets

extension Engine {
    /// Takes the acknowledgements of a packet whose layout was checked.
    @_noLocks
    mutating func takePacket(
        _ payload: Region,
        from node: UInt32,
        _ snapshot: Snapshot,
        nowNanos: UInt64
    ) {
        let padding = Padding.find(payload)
        guard let text = plainText(payload, padding.dataOffset),
            let acks = Acknowledgements.parse(text)
        else { return }
        acknowledge(acks, from: node, snapshot: snapshot, nowNanos: nowNanos)
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
        counters.count(.acksIn, by: UInt64(count))
        guard Int(node) < snapshot.nodes.count, isExpected(node, snapshot) else {
            counters.count(.ackUnexpected, by: UInt64(count))
            return
        }
        let all = LaneMask.first(count)
        let signed = verify(acks, all, node, snapshot)
        counters.count(.ackSignature, by: UInt64((all & ~signed).nonzeroBitCount))
        let hinted = tickets.hints(of: acks, lanes: signed, into: lanes.hint)
        counters.count(.ackScalar, by: UInt64((signed & ~hinted).nonzeroBitCount))
        var left = hinted
        while let lane = left.popFirst() {
            let code = take(
                halfKey: acks.region(lane).slice(0, 32),
                hint: lanes.hint.region(lane),
                from: node,
                snapshot,
                nowNanos: nowNanos
            )
            if code.index == Drop.ackUnknown.index, others != nil {
                offer(
                    halfKey: acks.region(lane).slice(0, 32),
                    hint: lanes.hint.region(lane),
                    keyID: snapshot.nodes[Int(node)].keyID,
                    turns: config.workers - 1
                )
            } else if code.index != 0 {
                counters.count(code)
            }
        }
    }

    /// True if the neighbour owes us an acknowledgement, or may owe one to another worker.
    @_noLocks
    private func isExpected(_ node: UInt32, _ snapshot: Snapshot) -> Bool {
        if others != nil || peers.awaited(snapshot.nodes[Int(node)].keyID) > 0 { return true }
        let alias = snapshot.nodes[Int(node)].alias
        guard Int(alias) < snapshot.nodes.count else { return false }
        return peers.awaited(snapshot.nodes[Int(alias)].keyID) > 0
    }

    /// Signed by the neighbour's packet key, or by its other one while it changes keys.
    @_noLocks
    private func verify(
        _ acks: Column<Acknowledgement>,
        _ mask: LaneMask,
        _ node: UInt32,
        _ snapshot: Snapshot
    ) -> LaneMask {
        let signed = verify(acks, mask, by: snapshot.nodes[Int(node)])
        let alias = snapshot.nodes[Int(node)].alias
        guard signed != mask, Int(alias) < snapshot.nodes.count else { return signed }
        return signed | verify(acks, mask & ~signed, by: snapshot.nodes[Int(alias)])
    }

    @_noLocks
    private func verify(
        _ acks: Column<Acknowledgement>,
        _ mask: LaneMask,
        by row: NodeRow
    ) -> LaneMask {
        var left = mask
        while let lane = left.popFirst() { lanes.signer[lane] = row.packetKey }
        return Acknowledgements.verifyVariableTime(
            acks,
            signers: lanes.signer,
            tables: .none,
            lanes: mask
        )
    }

    /// Looks up what a half-key opens, reports it and forgets it.
    @_noLocks
    private mutating func take(
        halfKey: Region,
        hint: Region,
        from node: UInt32,
        _ snapshot: Snapshot,
        nowNanos: UInt64
    ) -> Drop {
        let place = table.find(hint)
        guard place != UnackedTable.none else { return .ackUnknown }
        let entry = table.value(place)
        guard isFrom(entry.nextKeyID, node, snapshot) else { return .ackWrongPeer }
        return open(place, entry, halfKey: halfKey, nowNanos: nowNanos)
    }

    @_noLocks
    private func isFrom(_ keyID: UInt32, _ node: UInt32, _ snapshot: Snapshot) -> Bool {
        if snapshot.nodes[Int(node)].keyID == keyID { return true }
        let alias = snapshot.nodes[Int(node)].alias
        return Int(alias) < snapshot.nodes.count && snapshot.nodes[Int(alias)].keyID == keyID
    }

    @_noLocks
    private mutating func open(
        _ place: UInt32,
        _ entry: UnackedTable.Entry,
        halfKey: Region,
        nowNanos: UInt64
    ) -> Drop {
        guard entry.channel != Snapshot.none else {
            let hint: Bytes33 = table.hint(place).load(0)
            if !reports.acknowledged(keyID: entry.nextKeyID, hint: hint) {
                counters.count(.reportsLost)
            }
            forget(place, entry)
            return .none
        }
        let response = lanes.response.region(0)
        response.copy(table.ownHalfKey(place), to: 0)
        guard tickets.curve.addScalar(halfKey, to: response) else { return .ackResponse }
        if config.rechecksResponses {
            let challenge: Address = table.ticket(place).load(48)
            guard ProofOfRelay.opens(response, challenge: challenge, curve: tickets.curve) else {
                return .ackResponse
            }
        }
        let told = reports.unlocked(
            channel: entry.channel,
            ticket: table.ticket(place),
            response: response.load(0),
            atNanos: nowNanos
        )
        zeroize(response)
        guard told else {
            // The ticket stays: the neighbour may acknowledge again, or it expires.
            counters.count(.reportsLost)
            return .none
        }
        counters.count(.ticketsUnlocked)
        forget(place, entry)
        return .none
    }

    @_noLocks
    private func forget(_ place: UInt32, _ entry: UnackedTable.Entry) {
        peers.change(next: entry.nextKeyID, previous: entry.previousKeyID, by: -1)
        table.remove(place)
    }

    // MARK: time

    /// Voids tickets whose acknowledgement did not come in time: reservations are given back.
    ///
    /// - Parameter budget: most entries looked at; the rest waits for the next call.
    @_noLocks
    public mutating func expire(nowNanos: UInt64, budget: Int = 256) {
        for _ in 0..<budget {
            let place = table.oldest
            guard place != UnackedTable.none else { return }
            let entry = table.value(place)
            guard nowNanos >= entry.atNanos, nowNanos - entry.atNanos >= config.ackTTLNanos else {
                return
            }
            if entry.channel != Snapshot.none {
                var ticket = Ticket()
                _ = Ticket.parse(table.ticket(place), into: &ticket)
                guard
                    reports.released(
                        channel: entry.channel,
                        index: ticket.index,
                        amount: ticket.amount,
                        reason: .noAck
                    )
                else { return }
                books.release(entry.channel, ticket.amount)
                counters.count(.noAck)
            }
            forget(place, entry)
        }
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
        lanes.hint[0] = ackChallenge
        let hint = lanes.hint.region(0)
        let own = snapshot.headerColumn[0].keyIDs[0]
        guard !table.isFull, peers.awaited(keyID) < share(snapshot),
            table.find(hint) == UnackedTable.none
        else { return false }
        lanes.response[0] = Bytes32()
        table.insert(
            UnackedTable.Entry(
                nextKeyID: keyID,
                previousKeyID: own,
                channel: Snapshot.none,
                atNanos: nowNanos
            ),
            hint: hint,
            ownHalfKey: lanes.response.region(0),
            ticketOf: Ticket()
        )
        peers.change(next: keyID, previous: own, by: 1)
        return true
    }
}

// Acknowledgements that arrived at another worker's socket.
extension Engine {
    private static var offerBytes: Int { @_noLocks get { 80 } }
    private static var offerKind: UInt32 { @_noLocks get { 1 } }

    @_noLocks
    private mutating func offer(halfKey: Region, hint: Region, keyID: UInt32, turns: Int) {
        guard turns > 0, let record = others?.begin(kind: 1, 80) else {
            counters.count(.ackUnknown)
            return
        }
        record.store(keyID, 0)
        record.store(UInt32(truncatingIfNeeded: turns), 4)
        record.copy(halfKey, to: 8)
        record.copy(hint, to: 40)
        others?.end()
        counters.count(.acksOffered)
    }

    /// Takes what the engine before this one does not know; what is unknown here too goes on, until
    /// every engine has been asked.
    @_noLocks
    public mutating func acknowledgeForeign(
        _ ring: inout RingReader,
        snapshot: Snapshot,
        nowNanos: UInt64,
        budget: Int = 256
    ) {
        for _ in 0..<budget {
            guard let record = ring.next() else { return }
            let keyID: UInt32 = record.load(0)
            let turns: UInt32 = record.load(4)
            let node = snapshot.node(keyID: keyID)
            let code =
                Int(node) < snapshot.nodes.count
                ? take(
                    halfKey: record.slice(8, 32),
                    hint: record.slice(40, 33),
                    from: node,
                    snapshot,
                    nowNanos: nowNanos
                ) : .ackUnknown
            if code.index == Drop.ackUnknown.index {
                offer(
                    halfKey: record.slice(8, 32),
                    hint: record.slice(40, 33),
                    keyID: keyID,
                    turns: Int(turns) - 1
                )
            } else if code.index != 0 {
                counters.count(code)
            }
            ring.release()
        }
    }
}
