public import Bytes
internal import Crypto
public import Datapath

/// The one writer of a link table: gives out rows and session slots, and takes them back when no
/// worker can be using them any more.
///
/// What it knows besides the table it can read from the table again.
public struct LinkKeeper: ~Copyable {
    /// What it writes.
    public let table: LinkTable
    private var random: RandomStream
    private let randomMemory: Memory
    private var freeRows: [UInt32] = []
    private var freeSlots: [UInt32] = []
    /// Slots of each row's sessions, oldest first.
    private var slots: [[UInt32]]
    private var sequence: UInt32 = 0
    // What ended since the workers were last looked at, and what ended before that.
    private var endedSlots: [UInt32] = []
    private var endedRows: [UInt32] = []
    private var waitingSlots: [UInt32] = []
    private var waitingRows: [UInt32] = []
    private var seen: [UInt64]
    private var isWaiting = false

    /// The keeper of a table, new or with sessions in it; `seed`, 32 random bytes, is erased.
    public init(_ table: LinkTable, seed: Region) {
        self.table = table
        randomMemory = Memory(RandomStream.byteCount)
        random = RandomStream(in: randomMemory.region, seed: seed)
        slots = [[UInt32]](repeating: [], count: table.size.peers)
        seen = [UInt64](repeating: 0, count: table.size.workers)
        for row in (0..<UInt32(table.size.peers)).reversed() where !table.isPeer(row) {
            freeRows.append(row)
        }
        for row in 0..<UInt32(table.size.peers) {
            // Sessions that are over count too: what a row has been sent on only ever rises.
            let sending = table.rows.load(table.cell(row, RowCell.sending))
            sequence = max(sequence, UInt32(truncatingIfNeeded: sending >> 32))
        }
        for slot in (0..<UInt32(table.size.sessions)).reversed() { adopt(slot) }
        for row in 0..<slots.count {
            slots[row].sort { table.facts[Int($0)].sequence < table.facts[Int($1)].sequence }
        }
    }

    private mutating func adopt(_ slot: UInt32) {
        switch state(slot).phase {
        case .free: freeSlots.append(slot)
        case .ended, .begun:
            setState(slot, SessionState(index: 0, phase: .ended))
            endedSlots.append(slot)
        case .unproven, .live:
            let facts = table.facts[Int(slot)]
            sequence = max(sequence, facts.sequence)
            slots[Int(facts.row)].append(slot)
        }
    }

    // MARK: Peers

    /// A row for a neighbour that has none; nil if all are taken, perhaps until `collect` finds
    /// that workers have passed on.
    public mutating func addPeer(keyID: UInt32, address: DatagramAddress?) -> UInt32? {
        precondition(table.peer(keyID: keyID) == LinkTable.none, "a peer twice")
        guard let row = freeRows.popLast() else { return nil }
        for field in 0..<RowCell.count { table.rows.store(0, table.cell(row, field)) }
        table.rows.store(1 << 32 | UInt64(keyID), table.cell(row, RowCell.keyID))
        if let address {
            _ = table.setEndpoint(row, EndpointWords(address))
        }
        let place = freeEntry(keyID)
        table.entries.storeReleasing(PeerEntry(keyID: keyID, row: row).word, place)
        return row
    }

    /// The neighbour is none any more; its sessions end.
    public mutating func removePeer(_ row: UInt32) {
        let mask = table.entries.count - 1
        var place = home(table.keyID(row))
        while PeerEntry(table.entries.load(place)).row != row { place = (place + 1) & mask }
        table.entries.storeReleasing(PeerEntry.gone, place)
        // At the end of a chain nobody needs to pass over it.
        while table.entries.load((place + 1) & mask) == 0,
            table.entries.load(place) == PeerEntry.gone
        {
            table.entries.storeReleasing(0, place)
            place = (place - 1) & mask
        }
        for slot in slots[Int(row)] { end(slot: slot) }
        table.rows.store(0, table.cell(row, RowCell.keyID))
        endedRows.append(row)
    }

    /// Where the peer is, until a datagram says otherwise; false while a worker writes that.
    public func setEndpoint(_ row: UInt32, _ address: DatagramAddress) -> Bool {
        table.setEndpoint(row, EndpointWords(address))
    }

    private func home(_ keyID: UInt32) -> Int {
        Int(truncatingIfNeeded: table.hash.hash(UInt64(keyID))) & (table.entries.count - 1)
    }

    private func freeEntry(_ keyID: UInt32) -> Int {
        var place = home(keyID)
        while true {
            let entry = PeerEntry(table.entries.load(place))
            if entry.isEmpty || entry.isGone { return place }
            place = (place + 1) & (table.entries.count - 1)
        }
    }

    // MARK: Sessions

    /// Slots that nobody has.
    var freeSlotCount: Int { freeSlots.count }

    /// Slots of a peer's sessions that open, oldest first.
    func sessions(_ row: UInt32) -> [UInt32] { slots[Int(row)] }

    private func state(_ slot: UInt32) -> SessionState {
        SessionState(table.sessions.load(table.sessionCell(slot, SessionCell.state)))
    }

    private func setState(_ slot: UInt32, _ state: SessionState) {
        table.sessions.storeReleasing(
            state.word,
            table.sessionCell(slot, SessionCell.state)
        )
    }

    /// An index for a session to be, which nobody can guess; nil if no slot is free, perhaps until
    /// `collect` finds that workers have passed on.
    public mutating func begin() -> UInt32? {
        guard let slot = freeSlots.popLast() else { return nil }
        var index: UInt32 = 0
        while index == 0 {
            let high = UInt32(truncatingIfNeeded: random.next()) & ~table.slotMask
            index = high | slot
        }
        setState(slot, SessionState(index: index, phase: .begun))
        return index
    }

    /// A session comes to life under an index that `begin` gave.
    ///
    /// - Parameters:
    ///   - keys: 32 bytes to seal with, 32 to open with; copied.
    ///   - isProven: the peer is known to have the keys: the session is sent on at once. If not,
    ///     then from the first datagram that opens.
    public mutating func install(
        _ index: UInt32,
        _ row: UInt32,
        keys: Region,
        remoteIndex: UInt32,
        datagramBytes: Int,
        isInitiator: Bool,
        isProven: Bool,
        nowNanos: UInt64
    ) {
        let slot = index & table.slotMask
        precondition(state(slot).word == SessionState(index: index, phase: .begun).word)
        makeRoom(row, isProven: isProven)
        sequence += 1
        let facts = SessionFacts(
            createdNanos: nowNanos,
            sequence: sequence,
            row: row,
            keyID: table.keyID(row),
            remoteIndex: remoteIndex,
            datagramBytes: UInt32(datagramBytes),
            isInitiator: isInitiator ? 1 : 0
        )
        table.facts[Int(slot)] = facts
        table.keys.region(Int(slot)).copy(keys, to: 0)
        slots[Int(row)].append(slot)
        setState(slot, SessionState(index: index, phase: isProven ? .live : .unproven))
        if isProven {
            table.raiseSending(facts, index)
            table.rows.store(0, table.cell(row, RowCell.wanted))
        }
    }

    /// Ends what a new session of the peer leaves no room for: any that was never proven, if it is
    /// not proven itself, and the oldest of those that are live.
    private mutating func makeRoom(_ row: UInt32, isProven: Bool) {
        let mine = slots[Int(row)]
        if !isProven {
            for slot in mine where state(slot).phase == .unproven { end(slot: slot) }
        }
        let live = slots[Int(row)].filter { state($0).phase == .live }
        for slot in live.dropLast(LinkLimits.livePerPeer - 1) { end(slot: slot) }
    }

    /// Ends a session, or the index of a handshake.
    public mutating func end(_ index: UInt32) { end(slot: index & table.slotMask) }

    mutating func end(slot: UInt32) {
        let before = state(slot)
        guard before.phase != .free, before.phase != .ended else { return }
        // A worker may be proving it at this moment: whatever it wrote, the end is the last word.
        setState(slot, SessionState(index: before.index, phase: .ended))
        if before.phase != .begun {
            slots[Int(table.facts[Int(slot)].row)].removeAll { $0 == slot }
        }
        endedSlots.append(slot)
    }

    // MARK: Reuse

    /// Wipes and frees what ended before every worker's last `quiesce`.
    public mutating func collect() {
        if isWaiting {
            guard workersPassed() else { return }
            for slot in waitingSlots { wipe(slot) }
            freeSlots += waitingSlots
            freeRows += waitingRows
            waitingSlots.removeAll(keepingCapacity: true)
            waitingRows.removeAll(keepingCapacity: true)
            isWaiting = false
        }
        guard !endedSlots.isEmpty || !endedRows.isEmpty else { return }
        swap(&endedSlots, &waitingSlots)
        swap(&endedRows, &waitingRows)
        // An addition, not a load: a worker whose number rises later sees all that was ended.
        for worker in 0..<seen.count { seen[worker] = table.workers.add(0, 8 * worker) }
        isWaiting = true
    }

    /// True if each worker has passed a quiescent point since it was looked at, or was not at work.
    private func workersPassed() -> Bool {
        for worker in 0..<seen.count where seen[worker] & 1 == 1 {
            if table.workers.loadAcquiring(8 * worker) == seen[worker] { return false }
        }
        return true
    }

    private func wipe(_ slot: UInt32) {
        zeroize(table.keys.region(Int(slot)))
        for cell in 0..<ReplayWindow.cells {
            table.windows.store(0, ReplayWindow.cells * Int(slot) + cell)
        }
        for field in 0..<SessionCell.count {
            table.sessions.store(0, table.sessionCell(slot, field))
        }
    }
}
