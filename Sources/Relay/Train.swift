internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

/// A train to one neighbour while frames are written into it.
struct Train {
    let number: Int
    let row: UInt32
    let session: UInt32
    let address: DatagramAddress
    let datagramBytes: Int
    var writer: FrameWriter
    /// Packets in it.
    var packets = 0
}

extension Worker {
    /// Packets that wait for a link come back from the mixer after so long.
    private static var retryNanos: UInt64 { @_noLocks get { 5_000_000 } }
    /// They are dropped then.
    static var patienceNanos: UInt64 { @_noLocks get { 3_000_000_000 } }

    /// A train of at most `most` datagrams to a neighbour; nil if there is no link to it, or no
    /// train: the socket's buffer is full.
    @_noLocks
    mutating func begin(
        _ row: UInt32,
        most: Int = LinkLimits.trainDatagramsMax
    ) -> Train? {
        let session = links.table.sendingSession(row, nowNanos: batch.nowNanos)
        guard session != LinkTable.none, let address = links.table.endpoint(row) else { return nil }
        guard let number = takeTrain() else { return nil }
        let bytes = links.table.datagramBytes(session: session)
        let memory = port.train(number)
        let count = min(memory.byteCount / bytes, most)
        return Train(
            number: number,
            row: row,
            session: session,
            address: address,
            datagramBytes: bytes,
            writer: FrameWriter(memory.slice(0, count * bytes), datagramBytes: bytes)
        )
    }

    @_noLocks
    private mutating func takeTrain() -> Int? {
        if let number = port.takeTrain() { return number }
        submit()
        return port.takeTrain()
    }

    /// Has a train of at least so many datagrams sealed, and hands it to the port: `submit` does
    /// both.
    @_noLocks
    mutating func depart(_ begun: Train, least: Int = 0) {
        var train = begun
        let written = train.writer.datagramCount
        let count = train.writer.end(least: least)
        let packets = UInt64(train.packets)
        guard count > 0,
            let first = links.table.reserve(session: train.session, count: count)
        else {
            // The session's counters are used up; the next one is on its way.
            counters.count(.linkDown, by: packets)
            return port.giveTrain(train.number)
        }
        links.queue(
            session: train.session,
            train: port.train(train.number),
            count: count,
            firstCounter: first,
            isIdle: written == 0,
            nowNanos: batch.nowNanos
        )
        let isQueued = port.send(
            train: train.number,
            byteCount: count * train.datagramBytes,
            segmentBytes: train.datagramBytes,
            packets: train.packets,
            to: train.address
        )
        counters.count(.packetsOut, by: packets)
        guard isQueued else {
            counters.count(.sendFailed, by: packets)
            // Whoever has the train next writes into it.
            links.sealQueued()
            return port.giveTrain(train.number)
        }
        if count > 1, packets > 0 { check.noteTrain(train.row) }
        counters.count(.datagramsOut, by: UInt64(count))
        noteOut(train, count: count)
        counters.count(.paddingOut, by: UInt64(count - written))
        counters.count(.bytesOut, by: UInt64(count * train.datagramBytes))
    }

    /// A neighbour's packets wait until there is a link: back to the mixer, some of them and for
    /// some time. So do its acknowledgements; a pong would come too late.
    @_noLocks
    mutating func postpone(_ row: UInt32, first: Int, count: Int) {
        links.table.want(row)
        _ = pongs.take(row)
        postponeAcks(row)
        for place in first..<first + count {
            let slot = outgoing[Int(groups.place[place])]
            let isNew = notes[Int(slot)].waitsNanos == 0
            if isNew {
                notes[Int(slot)].waitsNanos = batch.nowNanos
                linkless += 1
            }
            let waited = batch.nowNanos - notes[Int(slot)].waitsNanos
            guard waited < Worker.patienceNanos, linkless <= config.linklessMax else {
                linkless -= 1
                dropOutgoing(slot, .linkDown)
                continue
            }
            pool.move(slot, from: .worker, to: .mixer)
            wheel.insert(slot, dueNanos: batch.nowNanos + Worker.retryNanos)
        }
    }

    @_noLocks
    func postponeAcks(_ row: UInt32) {
        let count = acks.count(row)
        guard count > 0 else { return }
        let now = batch.nowNanos
        if acks.postpone(row, nowNanos: now, mostNanos: Worker.patienceNanos) { return }
        counters.count(.ackUnsent, by: UInt64(count))
        acks.remove(row)
    }

    /// A packet that was to leave leaves for good.
    @_noLocks
    mutating func dropOutgoing(_ slot: UInt32, _ reason: Drop) {
        counters.count(reason)
        pool.give(slot, from: .worker)
    }
}
