public import Bytes
internal import Cipher
internal import Crypto
public import Datapath

/// Datagrams that wait to be opened, or to be sealed, together.
struct LinkLanes {
    struct Opening {
        var datagram: Region
        var source = DatagramAddress(family: 0, address: Bytes16(), port: 0)
        var look = LinkLook(.none)
        var isOpen = false
    }

    struct Sealing {
        var datagram: Region
        /// The session's slot.
        var session: UInt32 = 0
        var counter: UInt64 = 0
    }

    var openings: [16 of Opening]
    var openingCount = 0
    var sealings: [16 of Sealing]
    var sealingCount = 0

    init() {
        openings = [16 of Opening](repeating: Opening(datagram: .nowhere))
        sealings = [16 of Sealing](repeating: Sealing(datagram: .nowhere))
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
        lanes.openings[lane].datagram = datagram
        lanes.openings[lane].source = source
        lanes.openings[lane].look = look
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
                lanes.openings[lane].isOpen = open(
                    lanes.openings[lane].datagram,
                    lanes.openings[lane].look,
                    into: together.text(lane)
                )
            }
        }
        for lane in 0..<count where !lanes.openings[lane].isOpen { together.erase(lane) }
        return count
    }

    @_noLocks
    private mutating func openTogether(_ count: Int, _ textBytes: Int) {
        for lane in 0..<count {
            let look = lanes.openings[lane].look
            together.set(
                lane,
                key: table.keys.region(Int(look.slot)).slice(SessionKeys.receiveOffset, 32),
                counter: look.counter,
                text: lanes.openings[lane].datagram.slice(LinkWire.headBytes, textBytes)
            )
        }
        together.open(count)
        for lane in 0..<count {
            let tag = lanes.openings[lane].datagram.slice(
                LinkWire.headBytes + textBytes,
                DatagramCipher.tagBytes
            )
            lanes.openings[lane].isOpen = constantTimeEqual(tag, together.tag(lane))
        }
    }

    /// What became of a datagram that waited; once for each, in order: it takes the counter.
    ///
    /// The verdict is what `open` would have said of it after those before it.
    @_noLocks
    public mutating func opened(_ lane: Int, nowNanos: UInt64) -> LinkOpened {
        let look = lanes.openings[lane].look
        // A neighbour in this group may have taken the counter, or gone far ahead.
        guard table.window(look.slot).mayTake(look.counter) else {
            return LinkOpened(.linkReplay)
        }
        guard lanes.openings[lane].isOpen else { return LinkOpened(.linkTag) }
        return table.take(
            look,
            plain: together.text(lane),
            from: lanes.openings[lane].source,
            nowNanos: nowNanos
        )
    }

    /// The plaintext of a datagram that `opened` says is open.
    @_noLocks
    public func plain(_ lane: Int) -> Region { together.text(lane) }
}

// Sealing. Nothing that was queued may leave before `sealQueued`.
extension LinkWorker {
    /// Has a train sealed by the next `sealQueued` at the latest; see `seal`.
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
            lanes.sealings[lane].datagram = train.slice(place * bytes, bytes)
            lanes.sealings[lane].session = session
            lanes.sealings[lane].counter = firstCounter + UInt64(place)
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
                seal(
                    lanes.sealings[lane].datagram,
                    session: lanes.sealings[lane].session,
                    counter: lanes.sealings[lane].counter
                )
            }
            return
        }
        let textBytes = lanes.sealings[0].datagram.byteCount - LinkLimits.overheadBytes
        together.layOut(textBytes: textBytes)
        for lane in 0..<count {
            let sealing = lanes.sealings[lane]
            table.writeHead(sealing.datagram, session: sealing.session, counter: sealing.counter)
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
