internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

/// What whoever records is told. Off, each costs a load and a branch.
extension Worker {
    /// A datagram came; `keyID` is 0 if no session opened it.
    @_noLocks
    mutating func noteIn(_ datagram: Region, _ keyID: UInt32) {
        guard isTapped else { return }
        tell(TapRecord.datagram, datagram, keyID, isOutgoing: false)
    }

    /// A frame came.
    @_noLocks
    mutating func noteIn(_ frame: Frame, _ keyID: UInt32) {
        guard isTapped else { return }
        tell(frame.type.number, frame.body, keyID, isOutgoing: false)
    }

    /// A frame was written into a train.
    @_noLocks
    mutating func noteOut(_ type: FrameType, _ body: Region, _ row: UInt32) {
        guard isTapped else { return }
        tell(type.number, body, links.table.keyID(row), isOutgoing: true)
    }

    /// A train goes to the kernel; its heads are written, and it will be sealed.
    @_noLocks
    mutating func noteOut(_ train: borrowing Train, count: Int) {
        guard isTapped else { return }
        let keyID = links.table.keyID(train.row)
        for place in 0..<count {
            let datagram = port.train(train.number)
                .slice(place * train.datagramBytes, train.datagramBytes)
            tell(TapRecord.datagram, datagram, keyID, isOutgoing: true)
        }
    }

    /// A datagram of no session goes to the kernel.
    @_noLocks
    mutating func noteOut(_ datagram: Region) {
        guard isTapped else { return }
        tell(TapRecord.datagram, datagram, 0, isOutgoing: true)
    }

    @_noLocks
    private mutating func tell(
        _ kind: UInt8,
        _ bytes: Region,
        _ keyID: UInt32,
        isOutgoing: Bool
    ) {
        guard var tap else { return }
        let isTold = tap.put(
            kind,
            bytes,
            keyID: keyID,
            isOutgoing: isOutgoing,
            nowNanos: batch.nowNanos
        )
        self.tap = tap
        // Nothing waits for whoever records.
        if !isTold { counters.count(.traceDropped) }
    }
}
