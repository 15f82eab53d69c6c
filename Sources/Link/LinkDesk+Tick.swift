internal import Bytes
internal import Crypto

/// What is due by time.
extension LinkDesk {
    /// Looks at every peer: what workers noted, what has ended, what is to be begun.
    public mutating func tick(nowNanos: UInt64) {
        keeper.collect()
        placeRest()
        dueNanos = nowNanos + LinkLimits.pollNanos
        for row in 0..<UInt32(peers.count) where peers[Int(row)] != nil { look(row, nowNanos) }
    }

    /// Decides what one peer needs.
    mutating func look(_ row: UInt32, _ nowNanos: UInt64) {
        guard var state = peers[Int(row)] else { return }
        if state.addressWaits, let address = state.peer.address {
            state.addressWaits = !keeper.setEndpoint(row, address)
        }
        endOld(row, nowNanos)
        let session = table.sendingSession(row, nowNanos: nowNanos)
        if table.takeWish(row) { state.wantedNanos = nowNanos }
        noteState(session, row, &state)
        noteSilence(session, row, &state, nowNanos)
        let needsSession: Bool
        if session == LinkTable.none {
            let wanted = state.wantedNanos
            needsSession = wanted.map { nowNanos < $0 + LinkLimits.giveUpNanos } ?? false
        } else {
            state.wantedNanos = nil
            needsSession = isStale(session, row, state, nowNanos)
        }
        if needsSession {
            // A peer that we have just answered is about to show that it got the answer.
            let patience = state.answeredNanos.map { $0 + LinkLimits.retryNanos } ?? 0
            state.nextTryNanos = state.nextTryNanos ?? max(nowNanos, patience)
        } else {
            state.nextTryNanos = nil
            state.tries = 0
        }
        peers[Int(row)] = state
        let isLate = state.pending.map { nowNanos >= $0.sentNanos + LinkLimits.pendingNanos }
        if !needsSession || isLate ?? false { abandon(row) }
        queue(row, nowNanos)
    }

    private mutating func endOld(_ row: UInt32, _ nowNanos: UInt64) {
        for slot in keeper.sessions(row) {
            let created = table.facts[Int(slot)].createdNanos
            if nowNanos >= created + LinkLimits.rejectNanos { keeper.end(slot: slot) }
        }
    }

    private mutating func noteState(_ session: UInt32, _ row: UInt32, _ state: inout PeerState) {
        let isUp = session != LinkTable.none
        guard isUp != state.isUp else { return }
        state.isUp = isUp
        let keyID = state.peer.keyID
        guard isUp else { return report(.down(keyID: keyID)) }
        report(
            .up(
                keyID: keyID,
                address: table.endpoint(row),
                datagramBytes: table.datagramBytes(session: session)
            )
        )
    }

    /// Since when data is unanswered, on either side.
    private func noteSilence(
        _ session: UInt32,
        _ row: UInt32,
        _ state: inout PeerState,
        _ nowNanos: UInt64
    ) {
        let times = table.times(row)
        if times.heard != state.heardNanos {
            state.heardNanos = times.heard
            state.unansweredNanos = nil
        }
        let isUnanswered = session != LinkTable.none && times.sent > times.heard
        state.unansweredNanos = isUnanswered ? state.unansweredNanos ?? nowNanos : nil
        let isOwed = session != LinkTable.none && times.received > times.spoken
        state.owedNanos = isOwed ? state.owedNanos ?? nowNanos : nil
        if let owed = state.owedNanos, nowNanos >= owed + LinkLimits.keepaliveNanos {
            state.owesIdle = true
        }
    }

    /// True if the session is to be followed by another.
    private func isStale(
        _ session: UInt32,
        _ row: UInt32,
        _ state: PeerState,
        _ nowNanos: UInt64
    ) -> Bool {
        let facts = table.facts[Int(session)]
        if table.sealed(session: session) >= LinkLimits.rekeyDatagrams { return true }
        if let since = state.unansweredNanos, nowNanos >= since + LinkLimits.silenceNanos {
            return true
        }
        let life = facts.isInitiator == 1 ? LinkLimits.rekeyNanos : LinkLimits.stepInNanos
        guard nowNanos >= facts.createdNanos + life else { return false }
        if keepsSessions { return true }
        // A session that carries nothing may end.
        let times = table.times(row)
        return max(times.sent, times.received) >= facts.createdNanos
    }

    /// Puts the peer where `next` finds it, and says when it is to be looked at again.
    private mutating func queue(_ row: UInt32, _ nowNanos: UInt64) {
        guard let state = peers[Int(row)] else { return }
        if state.owesIdle, !state.isIdleQueued {
            idles.append(row)
            peers[Int(row)]?.isIdleQueued = true
        }
        guard let next = state.nextTryNanos else { return }
        if next > nowNanos {
            dueNanos = min(dueNanos, next)
        } else if !state.isCallQueued {
            initiations.append(row)
            peers[Int(row)]?.isCallQueued = true
        }
    }

    /// The next initiation is due after a while that grows with the number of those before.
    mutating func retryLater(_ row: UInt32, _ nowNanos: UInt64) {
        let tries = peers[Int(row)]?.tries ?? 0
        let doublings = UInt64(min(max(tries, 1) - 1, 20) / 2)
        let delay = min(LinkLimits.retryNanos << doublings, LinkLimits.retryNanosMax)
        let next = nowNanos + delay + random.next(below: delay / 3)
        peers[Int(row)]?.nextTryNanos = next
        dueNanos = min(dueNanos, next)
    }
}

extension LinkTable {
    /// True if a worker has wanted a session with the peer since it was asked last.
    func takeWish(_ row: UInt32) -> Bool {
        let cell = cell(row, RowCell.wanted)
        guard rows.load(cell) != 0 else { return false }
        rows.store(0, cell)
        return true
    }

    /// Datagrams that a session has sealed.
    func sealed(session: UInt32) -> UInt64 {
        sessions.load(sessionCell(session, SessionCell.next))
    }

    /// When data was sent and received, and when anything was.
    func times(
        _ row: UInt32
    ) -> (sent: UInt64, received: UInt64, spoken: UInt64, heard: UInt64) {
        (
            rows.load(cell(row, RowCell.sentNanos)), rows.load(cell(row, RowCell.receivedNanos)),
            rows.load(cell(row, RowCell.spokenNanos)), rows.load(cell(row, RowCell.heardNanos))
        )
    }
}
