internal import Bytes

/// From a peer to counters.
extension LinkTable {
    /// The session to send on to a peer now, valid until the worker's next `quiesce`; `none` if
    /// there is none: then `want` it.
    @_noLocks
    public func sendingSession(_ row: UInt32, nowNanos: UInt64) -> UInt32 {
        let sending = rows.loadAcquiring(cell(row, RowCell.sending))
        let index = UInt32(truncatingIfNeeded: sending)
        let slot = index & slotMask
        guard index != 0, slot < UInt32(size.sessions) else { return LinkTable.none }
        let state = SessionState(sessions.loadAcquiring(sessionCell(slot, SessionCell.state)))
        guard state.index == index, state.phase.isLive,
            nowNanos < facts[Int(slot)].createdNanos + LinkLimits.rejectNanos
        else { return LinkTable.none }
        return slot
    }

    /// Bytes of a datagram of the session.
    @_noLocks
    public func datagramBytes(session: UInt32) -> Int { Int(facts[Int(session)].datagramBytes) }

    /// The first of `count` counters in a row that are the caller's alone, and must all be sealed
    /// with or left out; nil when the session has none left.
    @_noLocks
    public func reserve(session: UInt32, count: Int) -> UInt64? {
        let cell = sessionCell(session, SessionCell.next)
        // Looked at first, so that the number can never come round.
        guard sessions.load(cell) < LinkLimits.rejectDatagrams else { return nil }
        let first = sessions.add(UInt64(count), cell)
        return first + UInt64(count) <= LinkLimits.rejectDatagrams ? first : nil
    }

    /// The peer has answered the ping of ours with this number, which was sent by some worker.
    @_noLocks
    public func notePong(_ row: UInt32, _ number: UInt64) {
        rows.store(number, cell(row, RowCell.pongs + Int(number & 3)))
    }

    /// Number of the last ping that the peer has answered, among those with the same low bits.
    @_noLocks
    public func lastPong(_ row: UInt32, _ number: UInt64) -> UInt64 {
        rows.load(cell(row, RowCell.pongs + Int(number & 3)))
    }

    /// A worker has found that trains get lost on the way while single datagrams do not.
    @_noLocks
    public func noteLostTrains() { shared.store(1, SharedCell.losesTrains) }

    /// True if any worker has found that; for good.
    public var losesTrains: Bool {
        @_noLocks
        get { shared.load(SharedCell.losesTrains) != 0 }
    }

    /// The session's peer was sent data, or padding alone.
    @_noLocks
    func noteSent(session: UInt32, isIdle: Bool, nowNanos: UInt64) {
        let row = facts[Int(session)].row
        if !isIdle { note(row, RowCell.sentNanos, nowNanos) }
        note(row, RowCell.spokenNanos, nowNanos)
    }

    /// Keeps a time, coarsely: the cell is left alone while it is about right.
    @_noLocks
    func note(_ row: UInt32, _ field: Int, _ nowNanos: UInt64) {
        let cell = cell(row, field)
        if nowNanos >= rows.load(cell) &+ LinkLimits.noteNanos { rows.store(nowNanos, cell) }
    }
}
