public import Bytes
internal import Cipher
internal import Crypto
public import Datapath

/// What became of a datagram.
public struct LinkOpened: BitwiseCopyable, Sendable {
    /// `.none` if it was opened.
    public var verdict: Drop
    /// True if it carried padding alone.
    public var isIdle = false
    /// Our index of the session: differs from that of any other session for long.
    public var session: UInt32 = 0
    /// The peer's row, until the next `quiesce`.
    public var row = LinkTable.none
    /// The peer's key id.
    public var keyID: UInt32 = 0
    /// The datagram's counter.
    public var counter: UInt64 = 0

    @_noLocks
    init(_ verdict: Drop) { self.verdict = verdict }
}

/// One thread's hands on a link table: it opens and seals, and says between its turns that it holds
/// on to nothing.
///
/// A thread is at work between `enter` and `leave`; a thread that sleeps had better leave, for the
/// desk waits for all that are at work before it uses a slot again.
public struct LinkWorker: ~Copyable {
    /// What it works on.
    public let table: LinkTable
    private let cell: Int
    private var cipher = DatagramCipher()
    private let memory: Memory
    let together: DatagramLanes
    var lanes: LinkLanes
    /// Indices of the sessions whose keys the cipher has; 0 if none.
    private(set) var openingKey: UInt32 = 0
    private(set) var sealingKey: UInt32 = 0

    /// The hands of thread `worker`, below the table's `size.workers`; not at work yet. Allocates.
    public init(_ table: LinkTable, worker: Int) {
        precondition(worker >= 0 && worker < table.size.workers)
        self.table = table
        cell = 8 * worker
        let textBytesMax = LinkLimits.datagramBytesMax - LinkLimits.overheadBytes
        let lanesBytes = DatagramLanes.byteCount(textBytesMax: textBytesMax)
        memory = Memory(lanesBytes + LinkLanes.byteCount)
        var arena = Arena(memory.region)
        together = DatagramLanes(&arena, textBytesMax: textBytesMax)
        lanes = LinkLanes(&arena)
    }

    // MARK: Turns

    /// The thread is at work: what it looks up stays.
    @_noLocks
    public mutating func enter() {
        // Odd is at work: also what a process left that was killed and whose memory we took over.
        let isOdd = table.workers.load(cell) & 1 == 1
        table.workers.add(isOdd ? 2 : 1, cell)
    }

    /// Between two turns: the thread holds on to no row, no session and no key that has ended.
    @_noLocks
    public mutating func quiesce() {
        settle()
        forgetEnded()
        table.workers.add(2, cell)
    }

    /// The thread is not at work.
    @_noLocks
    public mutating func leave() {
        settle()
        forgetEnded()
        assert(table.workers.load(cell) & 1 == 1, "a worker leaves twice")
        table.workers.add(1, cell)
    }

    /// No datagram waits while its session may end.
    @_noLocks
    private mutating func settle() {
        assert(lanes.openingCount == 0, "datagrams wait to be opened longer than a turn")
        sealQueued()
    }

    @_noLocks
    private mutating func forgetEnded() {
        guard hasEnded(openingKey) || hasEnded(sealingKey) else { return }
        cipher.forget()
        openingKey = 0
        sealingKey = 0
    }

    @_noLocks
    private func hasEnded(_ index: UInt32) -> Bool {
        index != 0 && table.slot(index: index, opening: true) == LinkTable.none
    }

    // MARK: Datagrams

    /// The row of the neighbour whose datagram this claims to be; `none` if it is nobody's. Costs a
    /// look at two cells, and proves nothing.
    @_noLocks
    public func row(claimedBy datagram: Region) -> UInt32 {
        guard datagram.byteCount >= LinkLimits.datagramBytesMin,
            LinkWire.number(datagram, LinkWire.type) == LinkWire.data
        else { return LinkTable.none }
        let index = LinkWire.number(datagram, LinkWire.receiver)
        let slot = table.slot(index: index, opening: true)
        return slot == LinkTable.none ? LinkTable.none : table.facts[Int(slot)].row
    }

    /// Opens a data datagram: authenticates it, decrypts it to `plain`, which has room for all but
    /// 32 bytes of it, and takes its counter.
    ///
    /// What fails has changed nothing; but `plain` may hold anything then.
    ///
    /// - Parameter source: where it came from; the peer's datagrams go there from now on.
    @_noLocks
    public mutating func open(
        _ datagram: Region,
        into plain: Region,
        from source: DatagramAddress,
        nowNanos: UInt64
    ) -> LinkOpened {
        let look = table.look(datagram, nowNanos: nowNanos)
        guard look.verdict.index == 0 else { return LinkOpened(look.verdict) }
        let out = plain.slice(0, datagram.byteCount - LinkLimits.overheadBytes)
        guard open(datagram, look, into: out) else { return LinkOpened(.linkTag) }
        return table.take(look, plain: out, from: source, nowNanos: nowNanos)
    }

    /// Decrypts a datagram; false if its tag does not match.
    @_noLocks
    mutating func open(_ datagram: Region, _ look: LinkLook, into plain: Region) -> Bool {
        if openingKey != look.index {
            let keys = table.keys.region(Int(look.slot))
            cipher.setOpeningKey(keys.slice(SessionKeys.receiveOffset, 32))
            openingKey = look.index
        }
        let head = LinkWire.headBytes
        let text = datagram.slice(head, datagram.byteCount - head)
        return cipher.open(text, into: plain, counter: look.counter)
    }

    /// Seals the datagrams of a train in place: the plaintext of datagram i stands at
    /// `i * datagramBytes + 16`, with 16 bytes to spare behind it.
    ///
    /// - Parameters:
    ///   - session: what `sendingSession` returned in this turn.
    ///   - firstCounter: what `reserve` returned for as many datagrams.
    ///   - isIdle: all of it is padding: nothing that the peer would answer.
    @_noLocks
    public mutating func seal(
        session: UInt32,
        train: Region,
        count: Int,
        firstCounter: UInt64,
        isIdle: Bool = false,
        nowNanos: UInt64
    ) {
        let bytes = Int(table.facts[Int(session)].datagramBytes)
        for place in 0..<count {
            let datagram = train.slice(place * bytes, bytes)
            let counter = firstCounter + UInt64(place)
            table.writeHead(datagram, session: session, counter: counter)
            seal(datagram, session: session, counter: counter)
        }
        table.noteSent(session: session, isIdle: isIdle, nowNanos: nowNanos)
    }

    /// Seals one datagram whose head is written.
    @_noLocks
    mutating func seal(_ datagram: Region, session: UInt32, counter: UInt64) {
        let index = table.index(session: session)
        if sealingKey != index {
            cipher.setSealingKey(table.keys.region(Int(session)).slice(0, 32))
            sealingKey = index
        }
        let head = LinkWire.headBytes
        cipher.seal(datagram.slice(head, datagram.byteCount - head), counter: counter)
    }
}

extension LinkTable {
    /// Writes the bytes in clear of a datagram of ours.
    @_noLocks
    func writeHead(_ datagram: Region, session: UInt32, counter: UInt64) {
        LinkWire.writeHead(
            datagram,
            type: LinkWire.data,
            receiver: facts[Int(session)].remoteIndex,
            counter: counter
        )
    }

    /// Our index of the session in a slot.
    @_noLocks
    func index(session: UInt32) -> UInt32 {
        SessionState(sessions.load(sessionCell(session, SessionCell.state))).index
    }

    /// What follows from an authentic datagram.
    @_noLocks
    func noteOpened(
        _ slot: UInt32,
        _ facts: SessionFacts,
        _ opened: LinkOpened,
        from source: DatagramAddress,
        nowNanos: UInt64
    ) {
        let highest = sessionCell(slot, SessionCell.highest)
        if opened.counter >= sessions.load(highest) {
            sessions.raise(opened.counter + 1, highest)
            if isNewest(facts) {
                roam(facts.row, to: source, sequence: facts.sequence, counter: opened.counter)
            }
        }
        let state = sessionCell(slot, SessionCell.state)
        let unproven = SessionState(index: opened.session, phase: .unproven)
        if sessions.load(state) == unproven.word {
            let live = SessionState(index: opened.session, phase: .live)
            // The peer has the keys: from now on we send on this session too.
            if sessions.exchange(state, expected: unproven.word, desired: live.word) {
                raiseSending(facts, opened.session)
            }
        }
        note(facts.row, RowCell.heardNanos, nowNanos)
        if !opened.isIdle { note(facts.row, RowCell.receivedNanos, nowNanos) }
    }

    /// True if no later session of the peer is sent on.
    @_noLocks
    private func isNewest(_ facts: SessionFacts) -> Bool {
        UInt64(facts.sequence) >= rows.load(cell(facts.row, RowCell.sending)) >> 32
    }

    /// What follows from an authentic handshake message that made a session: the peer is where it
    /// came from.
    func noteHandshake(_ index: UInt32, from source: DatagramAddress, nowNanos: UInt64) {
        let facts = facts[Int(index & slotMask)]
        roam(facts.row, to: source, sequence: facts.sequence, counter: 0)
        note(facts.row, RowCell.heardNanos, nowNanos)
    }

    /// The session is to be sent on, unless a later one is already.
    @_noLocks
    func raiseSending(_ facts: SessionFacts, _ index: UInt32) {
        rows.raise(UInt64(facts.sequence) << 32 | UInt64(index), cell(facts.row, RowCell.sending))
    }
}
