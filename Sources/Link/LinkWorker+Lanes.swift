public import Bytes
internal import Cipher
internal import Crypto
public import Datapath

/// Datagrams that wait to be opened, or to be sealed, together.
struct LinkLanes {
    struct Opening: BitwiseCopyable {
        let datagram: Region
        let source: DatagramAddress
        let look: LinkLook
    }

    struct Sealing: BitwiseCopyable {
        let datagram: Region
        /// The session's slot.
        let session: UInt32
        let counter: UInt64
    }

    let openings: Column<Opening>
    /// 1 for those whose tag was right.
    let areOpen: Column<UInt8>
    let sealings: Column<Sealing>
    var openingCount = 0
    var sealingCount = 0

    init(_ arena: inout Arena) {
        openings = arena.column(Opening.self, DatagramLanes.count)
        areOpen = arena.column(UInt8.self, DatagramLanes.count)
        sealings = arena.column(Sealing.self, DatagramLanes.count)
    }

    static var byteCount: Int {
        let lane = MemoryLayout<Opening>.stride + 1 + MemoryLayout<Sealing>.stride
        return DatagramLanes.count * lane + 3 * 64
    }
}

// Opening. Datagrams that wait must stay where they are.
extension LinkWorker {
    /// True if one more datagram can wait with those that do; if not, `openWaiting` first.
    @_noLocks
    public func canWait(_ datagram: Region) -> Bool {
        lanes.openingCount == 0
            || lanes.openingCount < DatagramLanes.count
                && lanes.openings[0].datagram.byteCount == datagram.byteCount
    }

    /// Datagrams that wait to be opened.
    public var waitingCount: Int { @_noLocks get { lanes.openingCount } }

    /// Those of them that a neighbour seems to have sent.
    @_noLocks
    public func waitingCount(row: UInt32) -> Int {
        var count = 0
        for lane in 0..<lanes.openingCount where lanes.openings[lane].look.row == row { count += 1 }
        return count
    }

    /// Looks at a data datagram, and lets it wait if it may be a neighbour's; else says why not.
    @_noLocks
    public mutating func wait(
        _ datagram: Region,
        from source: DatagramAddress,
        nowNanos: UInt64
    ) -> Drop {
        assert(canWait(datagram))
        let look = table.look(datagram, nowNanos: nowNanos)
        guard look.verdict.index == 0 else { return look.verdict }
        let lane = lanes.openingCount
        lanes.openings[lane] = LinkLanes.Opening(datagram: datagram, source: source, look: look)
        lanes.openingCount = lane + 1
        return .none
    }

    /// Opens all that wait; returns how many. `opened` tells of each, in the order they came, and
    /// `plain` has what was in them, until others are opened or sealed.
    @_noLocks
    public mutating func openWaiting() -> Int {
        let count = lanes.openingCount
        lanes.openingCount = 0
        guard count > 0 else { return 0 }
        let textBytes = lanes.openings[0].datagram.byteCount - LinkLimits.overheadBytes
        together.layOut(textBytes: textBytes)
        if count >= together.least {
            openTogether(count, textBytes)
        } else {
            for lane in 0..<count {
                let opening = lanes.openings[lane]
                let isOpen = open(opening.datagram, opening.look, into: together.text(lane))
                lanes.areOpen[lane] = isOpen ? 1 : 0
            }
        }
        for lane in 0..<count where lanes.areOpen[lane] == 0 { together.erase(lane) }
        return count
    }

    @_noLocks
    private mutating func openTogether(_ count: Int, _ textBytes: Int) {
        for lane in 0..<count {
            let opening = lanes.openings[lane]
            let keys = table.keys.region(Int(opening.look.slot))
            together.set(
                lane,
                key: keys.slice(SessionKeys.receiveOffset, 32),
                counter: opening.look.counter,
                text: opening.datagram.slice(LinkWire.headBytes, textBytes)
            )
        }
        together.open(count)
        for lane in 0..<count {
            let tag = lanes.openings[lane].datagram.slice(
                LinkWire.headBytes + textBytes,
                DatagramCipher.tagBytes
            )
            lanes.areOpen[lane] = constantTimeEqual(tag, together.tag(lane)) ? 1 : 0
        }
    }

    /// What became of a datagram that waited; once for each, in order: it takes the counter.
    ///
    /// The verdict is what `open` would have said of it after those before it.
    @_noLocks
    public mutating func opened(_ lane: Int, nowNanos: UInt64) -> LinkOpened {
        let opening = lanes.openings[lane]
        // A neighbour in this group may have taken the counter, or gone far ahead.
        guard table.window(opening.look.slot).mayTake(opening.look.counter) else {
            return LinkOpened(.linkReplay)
        }
        guard lanes.areOpen[lane] == 1 else { return LinkOpened(.linkTag) }
        return table.take(
            opening.look,
            plain: together.text(lane),
            from: opening.source,
            nowNanos: nowNanos
        )
    }

    /// The datagram that `opened` tells of.
    @_noLocks
    public func datagram(_ lane: Int) -> Region { lanes.openings[lane].datagram }

    /// The plaintext of a datagram that `opened` says is open.
    @_noLocks
    public func plain(_ lane: Int) -> Region { together.text(lane) }
}

// Sealing. Nothing that was queued may leave before `sealQueued`.
extension LinkWorker {
    /// Has a train sealed by the next `sealQueued` at the latest; see `seal`. Heads are written at
    /// once.
    @_noLocks
    public mutating func queue(
        session: UInt32,
        train: Region,
        count: Int,
        firstCounter: UInt64,
        isIdle: Bool = false,
        nowNanos: UInt64
    ) {
        let bytes = Int(table.facts[Int(session)].datagramBytes)
        if lanes.sealingCount > 0, lanes.sealings[0].datagram.byteCount != bytes { sealQueued() }
        for place in 0..<count {
            if lanes.sealingCount == DatagramLanes.count { sealQueued() }
            let lane = lanes.sealingCount
            let sealing = LinkLanes.Sealing(
                datagram: train.slice(place * bytes, bytes),
                session: session,
                counter: firstCounter + UInt64(place)
            )
            table.writeHead(sealing.datagram, session: session, counter: sealing.counter)
            lanes.sealings[lane] = sealing
            lanes.sealingCount = lane + 1
        }
        table.noteSent(session: session, isIdle: isIdle, nowNanos: nowNanos)
    }

    /// Seals what is queued.
    @_noLocks
    public mutating func sealQueued() {
        let count = lanes.sealingCount
        lanes.sealingCount = 0
        guard count >= together.least else {
            for lane in 0..<count {
                let sealing = lanes.sealings[lane]
                seal(sealing.datagram, session: sealing.session, counter: sealing.counter)
            }
            return
        }
        let textBytes = lanes.sealings[0].datagram.byteCount - LinkLimits.overheadBytes
        together.layOut(textBytes: textBytes)
        for lane in 0..<count {
            let sealing = lanes.sealings[lane]
            together.set(
                lane,
                key: table.keys.region(Int(sealing.session)).slice(0, 32),
                counter: sealing.counter,
                text: sealing.datagram.slice(LinkWire.headBytes, textBytes)
            )
        }
        together.seal(count)
        for lane in 0..<count {
            let datagram = lanes.sealings[lane].datagram
            datagram.copy(together.text(lane), to: LinkWire.headBytes)
            datagram.copy(together.tag(lane), to: LinkWire.headBytes + textBytes)
        }
    }
}
