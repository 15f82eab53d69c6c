public import Bytes
internal import Cipher
internal import Crypto

/// What goes out.
extension LinkDesk {
    /// Writes the next datagram to the beginning of `out`, which has room for the largest size; nil
    /// if there is none to send.
    public mutating func next(into out: Region, nowNanos: UInt64) -> LinkOutgoing? {
        if !responses.isEmpty { return sendResponse(responses.removeFirst(), out) }
        while !idles.isEmpty {
            let row = idles.removeFirst()
            peers[Int(row)]?.isIdleQueued = false
            if let idle = sendIdle(row, out, nowNanos) { return idle }
        }
        while let row = nextCall() {
            peers[Int(row)]?.isCallQueued = false
            if let sent = sendInitiation(row, out, nowNanos) { return sent }
        }
        return nil
    }

    /// The peer to call next; a place is free then. Who calls again gives its place to those that
    /// have waited for one.
    private mutating func nextCall() -> UInt32? {
        while true {
            if !freePlaces.isEmpty, !waiting.isEmpty { return waiting.removeFirst() }
            guard !initiations.isEmpty else { return nil }
            let row = initiations.removeFirst()
            abandon(row)
            if !freePlaces.isEmpty, waiting.isEmpty { return row }
            waiting.append(row)
        }
    }

    private mutating func sendResponse(_ waiting: WaitingResponse, _ out: Region) -> LinkOutgoing {
        let datagram = out.slice(0, waiting.datagramBytes)
        datagram.store(bytes: waiting.bytes, 0)
        pad(datagram, from: waiting.bytes.count)
        return LinkOutgoing(address: waiting.address, byteCount: waiting.datagramBytes)
    }

    private mutating func pad(_ datagram: Region, from offset: Int) {
        random.fill(datagram.slice(offset, datagram.byteCount - offset))
    }

    // MARK: Padding

    private mutating func sendIdle(
        _ row: UInt32,
        _ out: Region,
        _ nowNanos: UInt64
    ) -> LinkOutgoing? {
        guard peers[Int(row)]?.owesIdle == true else { return nil }
        peers[Int(row)]?.owesIdle = false
        let session = table.sendingSession(row, nowNanos: nowNanos)
        guard session != LinkTable.none, let address = table.endpoint(row),
            let counter = table.reserve(session: session, count: 1)
        else { return nil }
        let facts = table.facts[Int(session)]
        let datagram = out.slice(0, Int(facts.datagramBytes))
        datagram.fill(0)
        LinkWire.writeHead(
            datagram,
            type: LinkWire.data,
            receiver: facts.remoteIndex,
            counter: counter
        )
        cipher.setSealingKey(table.keys.region(Int(session)).slice(0, 32))
        let head = LinkWire.headBytes
        cipher.seal(datagram.slice(head, datagram.byteCount - head), counter: counter)
        cipher.forget()
        table.rows.store(nowNanos, table.cell(row, RowCell.spokenNanos))
        peers[Int(row)]?.owedNanos = nil
        return LinkOutgoing(address: address, byteCount: datagram.byteCount)
    }

    // MARK: Initiations

    /// Begins a handshake, if one is still due.
    private mutating func sendInitiation(
        _ row: UInt32,
        _ out: Region,
        _ nowNanos: UInt64
    ) -> LinkOutgoing? {
        guard let state = peers[Int(row)], let due = state.nextTryNanos, due <= nowNanos else {
            return nil
        }
        guard let address = table.endpoint(row), let place = freePlaces.last,
            let index = keeper.begin()
        else {
            // Nobody knows where it is, or all slots are taken for now.
            wait(row, until: nowNanos + LinkLimits.pollNanos)
            return nil
        }
        peers[Int(row)]?.tries += 1
        let datagram = out.slice(0, size(row, nowNanos))
        guard writeInitiation(datagram, row, place, index, nowNanos) else {
            keeper.end(index)
            wait(row, until: nowNanos + LinkLimits.retryNanosMax)
            return nil
        }
        freePlaces.removeLast()
        peers[Int(row)]?.pending = PendingHandshake(
            index: index,
            place: place,
            identity: identities[0],
            datagramBytes: datagram.byteCount,
            sentNanos: nowNanos
        )
        rowOfPending[index] = row
        retryLater(row, nowNanos)
        if state.tries + 1 == LinkLimits.triesReported {
            report(.unreachable(keyID: state.peer.keyID, address: address))
        }
        return LinkOutgoing(address: address, byteCount: datagram.byteCount)
    }

    private mutating func wait(_ row: UInt32, until nanos: UInt64) {
        peers[Int(row)]?.nextTryNanos = nanos
        dueNanos = min(dueNanos, nanos)
    }

    /// Bytes of the next initiation: the largest size that the path may take; two tries of each,
    /// then the next smaller one. A link of smaller datagrams tries the largest once, for its path
    /// may be another by now, and then goes on with its own.
    private func size(_ row: UInt32, _ nowNanos: UInt64) -> Int {
        let session = table.sendingSession(row, nowNanos: nowNanos)
        let most = peers[Int(row)]?.peer.pathBytes ?? .max
        let largest = sizes.firstIndex { $0 <= most } ?? sizes.count - 1
        var (first, tries) = (largest, peers[Int(row)]?.tries ?? 1)
        if session != LinkTable.none,
            let own = sizes.firstIndex(of: table.datagramBytes(session: session)), own > largest
        {
            if tries <= 1 { return sizes[largest] }
            (first, tries) = (own, tries - 1)
        }
        return sizes[(first + (tries - 1) / 2) % sizes.count]
    }

    private mutating func writeInitiation(
        _ datagram: Region,
        _ row: UInt32,
        _ place: Int,
        _ index: UInt32,
        _ nowNanos: UInt64
    ) -> Bool {
        guard var state = peers[Int(row)] else { return false }
        LinkWire.writeHead(datagram, type: LinkWire.initiation, receiver: 0, counter: 0)
        let now = Timestamp(wallNanos: wallNanos + (nowNanos - startNanos))
        state.stamp = now.isAfter(state.stamp) ? now : state.stamp.next
        peers[Int(row)]?.stamp = state.stamp
        var payload = FixedBytes<32>()
        var (ephemeral, responder) = (Bytes32(), state.staticKey)
        let identity = identities[0]
        curveOperations += 3
        let isWritten = payload.withRegion { payload in
            ephemeral.withRegion { ephemeral in
                responder.withRegion { responder in
                    state.stamp.write(to: payload)
                    payload.store(index.littleEndian, LinkWire.initiationIndex)
                    let size = UInt32(datagram.byteCount)
                    payload.store(size.littleEndian, LinkWire.initiationSize)
                    random.fill(ephemeral)
                    defer { zeroize(ephemeral) }
                    let count = NoiseIK.initiationBytes + LinkWire.initiationPayloadBytes
                    return NoiseIK(
                        in: noise(at: place),
                        prologue: prologue.region,
                        responder: responder
                    ).writeInitiation(
                        payload,
                        ephemeral: ephemeral,
                        identity: identity,
                        responder: responder,
                        into: datagram.slice(LinkWire.noise, count)
                    )
                }
            }
        }
        guard isWritten else { return false }
        writeMacs(datagram, at: LinkWire.initiationMac, row, nowNanos)
        pad(datagram, from: LinkWire.initiationBytes)
        return true
    }

    /// Both MACs of a message to a peer; the second if the peer has sent us a cookie.
    mutating func writeMacs(
        _ datagram: Region,
        at offset: Int,
        _ row: UInt32,
        _ nowNanos: UInt64
    ) {
        guard let state = peers[Int(row)] else { return }
        random.fill(datagram.slice(offset + LinkMac.bytes, LinkMac.bytes))
        var (publicKey, keys, cookie) = (state.staticKey, Bytes64(), state.cookie)
        keys.withRegion { keys in
            publicKey.withRegion { LinkMac.makeKeys(of: $0, into: keys) }
            cookie.withRegion { cookie in
                LinkMac.write(
                    datagram,
                    at: offset,
                    key: keys.slice(0, 32),
                    cookie: nowNanos < state.cookieEndNanos ? cookie : nil
                )
            }
        }
        peers[Int(row)]?.lastMac = datagram.load(offset)
    }
}
