internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange
internal import Link
internal import Tickets

extension Worker {
    /// Datagrams become frames of neighbours. What fails here has cost no arithmetic on curves.
    @_noLocks
    mutating func open() {
        var (count, round) = (0, 0)
        repeat {
            count += openArrivals()
            port.release()
            round += 1
        } while receiveMore(round)
        load += count - load / 8
        counters.count(.datagramsIn, by: UInt64(count))
        engine.takeCollected(snapshot: snapshot, nowNanos: batch.nowNanos)
        countFrames()
    }

    /// Opens what was taken; returns the number of datagrams.
    @_noLocks
    private mutating func openArrivals() -> Int {
        var count = 0
        for index in 0..<arrived {
            let arrival = port.arrival(index)
            counters.count(.bytesIn, by: UInt64(arrival.bytes.byteCount))
            count += arrival.count
            if arrival.truncated {
                counters.count(.linkSize, by: UInt64(arrival.count))
                for place in 0..<arrival.count { noteIn(arrival.datagram(place), 0) }
                continue
            }
            for place in 0..<arrival.count {
                open(arrival.datagram(place), from: arrival.source)
            }
        }
        openWaiting()
        return count
    }

    /// True if a datagram's packets would be dropped, and it is not opened for what else may be in
    /// it. What lies in datagrams that wait is taken for packets.
    @_noLocks
    private func sheds(_ datagram: Region) -> Bool {
        let bytes = links.waitingCount * datagram.byteCount
        let isNear = queue.count + bytes / packetBytes >= queue.refusesFrom
        guard isNear || budget.isLimited else { return false }
        let row = links.row(claimedBy: datagram)
        guard row != LinkTable.none,
            refuses(row, datagram.byteCount)
                || budget.isSpent(row: row, nowNanos: batch.nowNanos)
        else { return false }
        return !shed.mayOpen(row: row, nowNanos: batch.nowNanos)
    }

    @_noLocks
    private func refuses(_ row: UInt32, _ datagramBytes: Int) -> Bool {
        let textBytes = datagramBytes - LinkLimits.overheadBytes
        return queue.refuses(
            row: row,
            after: links.waitingCount(row: row) * textBytes / packetBytes,
            of: links.waitingCount * textBytes / packetBytes
        )
    }

    @_noLocks
    private mutating func open(_ datagram: Region, from source: DatagramAddress) {
        if !links.canWait(datagram) { openWaiting() }
        if sheds(datagram) {
            noteIn(datagram, 0)
            return counters.count(.linkShed)
        }
        let verdict = links.wait(datagram, from: source, nowNanos: batch.nowNanos)
        guard verdict.index != 0 else { return }
        noteIn(datagram, 0)
        refuse(datagram, from: source, verdict)
    }

    /// Datagrams are opened sixteen at a time, whoever they are from.
    @_noLocks
    private mutating func openWaiting() {
        for lane in 0..<links.openWaiting() {
            let opened = links.opened(lane, nowNanos: batch.nowNanos)
            noteIn(links.datagram(lane), opened.keyID)
            guard opened.verdict.index == 0 else {
                countStranger(opened.verdict)
                continue
            }
            if opened.isIdle { continue }
            frames.begin(
                links.plain(lane),
                session: opened.session,
                link: opened.row,
                counter: opened.counter,
                nowNanos: batch.nowNanos
            )
            while let frame = frames.next() { take(frame, from: opened) }
        }
    }

    /// A frame of a neighbour.
    @_noLocks
    private mutating func take(_ frame: Frame, from opened: LinkOpened) {
        noteIn(frame, opened.keyID)
        switch frame.type {
        case .packet: queuePacket(frame.body, from: opened)
        case .acknowledgements: collect(frame.body, from: opened.keyID)
        case .ping: answer(frame.body, opened.row)
        case .pong:
            counters.count(.pongsIn)
            links.table.notePong(opened.row, frame.body.load(0))
        // For schemes of payment that this version does not speak on links.
        case .paymentTerms, .locks, .secrets, .promises, .logSegment: counters.count(.frameUnknown)
        }
    }

    /// A packet waits for its turn at the curves.
    @_noLocks
    private mutating func queuePacket(_ body: Region, from opened: LinkOpened) {
        counters.count(.packetsReceived)
        let note = SlotNote(keyID: opened.keyID, cameNanos: batch.nowNanos)
        enqueue(body, note, row: opened.row)
    }

    @_noLocks
    mutating func enqueue(_ packet: Region, _ note: SlotNote, row: UInt32) {
        guard let slot = pool.take(.queue) else { return counters.count(.slotsFull) }
        slab.packet(slot, packetBytes).copy(packet, to: 0)
        notes[Int(slot)] = note
        let victim = queue.push(slot, row: row, cameNanos: note.cameNanos)
        if let victim { dropQueued(victim, .queueFull) }
    }

    @_noLocks
    private mutating func collect(_ body: Region, from keyID: UInt32) {
        guard let acks = Acknowledgements.parse(body) else { return counters.count(.frameInvalid) }
        let node = snapshot.node(keyID: keyID)
        for index in 0..<acks.count {
            engine.collect(acks[index], from: node, snapshot: snapshot, nowNanos: batch.nowNanos)
        }
    }

    /// Keeps the ping until `seal`; a neighbour that asks more often than it is answered loses the
    /// older one.
    @_noLocks
    private mutating func answer(_ body: Region, _ row: UInt32) {
        counters.count(.pingsIn)
        pongs.keep(body, for: row)
    }

    /// What is no datagram of a session: a handshake goes to the desk if it passes the gate.
    @_noLocks
    private mutating func refuse(_ datagram: Region, from source: DatagramAddress, _ why: Drop) {
        guard why == .linkType else { return countStranger(why) }
        let verdict = gate.check(datagram, from: source, nowNanos: batch.nowNanos)
        guard verdict.drop.index == 0 else {
            countStranger(verdict.drop)
            if verdict.wantsCookie { sendCookie(datagram, to: source, verdict) }
            return
        }
        let endpoint = Endpoint(
            family: source.family,
            address: source.address,
            port: source.port
        )
        guard strangers.put(datagram, from: endpoint) else { return countStranger(.linkRate) }
        counters.count(.handshakesIn)
    }

    @_noLocks
    private func countStranger(_ reason: Drop) {
        counters.count(reason)
        counters.rejects.note(keyID: .max, reason)
    }

    /// Under load, whoever has no cookie is sent one.
    @_noLocks
    private mutating func sendCookie(
        _ datagram: Region,
        to source: DatagramAddress,
        _ verdict: LinkVerdict
    ) {
        guard let train = port.takeTrain() else { return }
        gate.writeCookieReply(
            to: datagram,
            verdict,
            from: source,
            nowNanos: batch.nowNanos,
            random: &random,
            into: port.train(train)
        )
        let count = datagram.byteCount
        let isQueued = port.send(train: train, byteCount: count, segmentBytes: count, to: source)
        guard isQueued else { return port.giveTrain(train) }
        counters.count(.datagramsOut)
        noteOut(port.train(train).slice(0, count))
    }

    @_noLocks
    private func countFrames() {
        counters.count(.frameLost, by: frames.take(.frameLost))
        counters.count(.frameInvalid, by: frames.take(.frameInvalid))
        counters.count(.frameUnknown, by: frames.take(.frameUnknown))
    }

    /// Counts the lanes that left since `before`.
    @_noLocks
    func countDrops(_ before: LaneMask) {
        var left = before & ~batch.live
        while let lane = left.popFirst() { counters.count(batch.verdict(lane)) }
    }
}
