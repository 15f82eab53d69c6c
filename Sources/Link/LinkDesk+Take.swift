public import Bytes
internal import Crypto
public import Datapath

/// What comes from others.
extension LinkDesk {
    /// Takes a handshake datagram that passed the gate; anything else is refused too, but less
    /// cheaply.
    ///
    /// - Returns: `.none`, or why it was refused; then nothing has changed.
    public mutating func take(
        _ datagram: Region,
        from source: DatagramAddress,
        nowNanos: UInt64
    ) -> Drop {
        guard sizes.contains(datagram.byteCount) else { return .linkSize }
        let type = LinkWire.number(datagram, LinkWire.type)
        if type == LinkWire.cookieReply { return takeCookie(datagram, nowNanos) }
        guard let offset = LinkMac.offset(type: type) else { return .linkType }
        let identity = table.identity(datagram, macAt: offset)
        guard identity >= 0, identity < identities.count else { return .linkMac }
        let ours = identities[identity]
        if type == LinkWire.initiation { return takeInitiation(datagram, ours, source, nowNanos) }
        return takeResponse(datagram, source, nowNanos)
    }

    // MARK: Initiations

    private mutating func takeInitiation(
        _ datagram: Region,
        _ identity: LinkIdentity,
        _ source: DatagramAddress,
        _ nowNanos: UInt64
    ) -> Drop {
        guard responses.count < LinkLimits.responsesMax else { return .linkFull }
        let noise = NoiseIK(in: scratch, prologue: prologue.region, responder: identity.publicKey)
        defer { zeroize(scratch) }
        var room = FixedBytes<32>()
        return room.withRegion { payload in
            let message = datagram.slice(LinkWire.noise, NoiseIK.initiationBytes + 32)
            curveOperations += 1
            guard noise.readStatic(message, identity: identity) else {
                return mismatch(source, nowNanos)
            }
            guard let row = rowOfStatic[noise.remoteStatic.load(0)] else { return .linkStranger }
            curveOperations += 1
            guard noise.readPayload(message, identity: identity, into: payload) else {
                return mismatch(source, nowNanos)
            }
            let size = LinkWire.number(payload, LinkWire.initiationSize)
            guard Int(size) == datagram.byteCount else { return .linkSize }
            if let drop = refusal(row, payload, identity, nowNanos) { return drop }
            return answer(
                row,
                noise,
                remoteIndex: LinkWire.number(payload, LinkWire.initiationIndex),
                Timestamp(payload),
                datagram.byteCount,
                source,
                nowNanos
            )
        }
    }

    private mutating func mismatch(_ source: DatagramAddress, _ nowNanos: UInt64) -> Drop {
        // Looking for the peer is not free, and a line a second says enough.
        if nowNanos >= mismatchNanos {
            mismatchNanos = nowNanos + 1_000_000_000
            let row = (0..<UInt32(peers.count)).first {
                peers[Int($0)] != nil && table.endpoint($0) == source
            }
            report(.mismatch(address: source, keyID: row.map { table.keyID($0) }))
        }
        return .linkPrologue
    }

    /// Why an authentic initiation is not answered.
    private func refusal(
        _ row: UInt32,
        _ payload: Region,
        _ identity: LinkIdentity,
        _ nowNanos: UInt64
    ) -> Drop? {
        guard let state = peers[Int(row)] else { return .linkStranger }
        guard Timestamp(payload).isAfter(table.timestamp(row)) else { return .linkTimestamp }
        if let answered = state.answeredNanos, nowNanos < answered + LinkLimits.initiationNanos {
            return .linkRate
        }
        // Of two handshakes that cross, that of the smaller key counts.
        if let pending = state.pending, nowNanos < pending.sentNanos + LinkLimits.crossingNanos {
            let ours: Bytes32 = pending.identity.publicKey.load(0)
            if ours < state.staticKey { return .linkCrossed }
        }
        return nil
    }

    /// Makes the session and the response.
    private mutating func answer(
        _ row: UInt32,
        _ noise: borrowing NoiseIK,
        remoteIndex: UInt32,
        _ timestamp: Timestamp,
        _ datagramBytes: Int,
        _ source: DatagramAddress,
        _ nowNanos: UInt64
    ) -> Drop {
        // A peer that calls again and again ends a session each time: their slots come back as soon
        // as workers have passed on.
        keeper.collect()
        guard let index = keeper.begin() else { return .linkFull }
        var bytes = [UInt8](repeating: 0, count: LinkWire.responseBytes)
        let isWritten = bytes.withRegion {
            writeResponse($0, noise, index, remoteIndex, datagramBytes, row, nowNanos)
        }
        guard isWritten else {
            keeper.end(index)
            return .linkPrologue
        }
        noise.split(into: keyRoom, isInitiator: false)
        keeper.install(
            index,
            row,
            keys: keyRoom,
            remoteIndex: remoteIndex,
            datagramBytes: datagramBytes,
            isInitiator: false,
            isProven: false,
            nowNanos: nowNanos
        )
        zeroize(keyRoom)
        table.setTimestamp(row, timestamp)
        table.noteHandshake(index, from: source, nowNanos: nowNanos)
        peers[Int(row)]?.answeredNanos = nowNanos
        if peers[Int(row)]?.pending != nil {
            // Theirs counts; should it come to nothing, ours is tried again.
            abandon(row)
            retryLater(row, nowNanos)
        }
        responses.append(
            WaitingResponse(bytes: bytes, datagramBytes: datagramBytes, address: source)
        )
        return .none
    }

    private mutating func writeResponse(
        _ response: Region,
        _ noise: borrowing NoiseIK,
        _ index: UInt32,
        _ remoteIndex: UInt32,
        _ datagramBytes: Int,
        _ row: UInt32,
        _ nowNanos: UInt64
    ) -> Bool {
        LinkWire.writeHead(response, type: LinkWire.response, receiver: remoteIndex, counter: 0)
        var (payload, ephemeral) = (Bytes16(), Bytes32())
        curveOperations += 3
        let isWritten = payload.withRegion { payload in
            ephemeral.withRegion { ephemeral in
                payload.store(index.littleEndian, LinkWire.responseIndex)
                payload.store(UInt32(datagramBytes).littleEndian, LinkWire.responseSize)
                random.fill(ephemeral)
                let count = NoiseIK.responseBytes + LinkWire.responsePayloadBytes
                let message = response.slice(LinkWire.noise, count)
                defer { zeroize(ephemeral) }
                return noise.writeResponse(payload, ephemeral: ephemeral, into: message)
            }
        }
        if isWritten { writeMacs(response, at: LinkWire.responseMac, row, nowNanos) }
        return isWritten
    }

    // MARK: Responses

    private mutating func takeResponse(
        _ datagram: Region,
        _ source: DatagramAddress,
        _ nowNanos: UInt64
    ) -> Drop {
        let index = LinkWire.number(datagram, LinkWire.receiver)
        guard let row = rowOfPending[index], let pending = peers[Int(row)]?.pending else {
            return .linkUnknown
        }
        guard datagram.byteCount == pending.datagramBytes else { return .linkSize }
        // On a copy: somebody who saw our initiation must not be able to spoil its answer.
        NoiseIK(resuming: noise(at: pending.place)).copy(to: scratch)
        let noise = NoiseIK(resuming: scratch)
        defer { zeroize(scratch) }
        var room = Bytes16()
        return room.withRegion { payload in
            let count = NoiseIK.responseBytes + LinkWire.responsePayloadBytes
            let message = datagram.slice(LinkWire.noise, count)
            curveOperations += 2
            guard noise.readResponse(message, identity: pending.identity, into: payload) else {
                return .linkTag
            }
            let size = LinkWire.number(payload, LinkWire.responseSize)
            guard Int(size) == datagram.byteCount else { return .linkSize }
            noise.split(into: keyRoom, isInitiator: true)
            keeper.install(
                index,
                row,
                keys: keyRoom,
                remoteIndex: LinkWire.number(payload, LinkWire.responseIndex),
                datagramBytes: datagram.byteCount,
                isInitiator: true,
                isProven: true,
                nowNanos: nowNanos
            )
            zeroize(keyRoom)
            table.noteHandshake(index, from: source, nowNanos: nowNanos)
            finish(row, nowNanos)
            return .none
        }
    }

    /// Our handshake is done: the peer waits for a datagram to know that.
    private mutating func finish(_ row: UInt32, _ nowNanos: UInt64) {
        _ = release(row)
        peers[Int(row)]?.owesIdle = true
        look(row, nowNanos)
        dueNanos = min(dueNanos, nowNanos + LinkLimits.pollNanos)
    }

    // MARK: Cookies

    private mutating func takeCookie(_ datagram: Region, _ nowNanos: UInt64) -> Drop {
        let answered = LinkWire.number(datagram, LinkWire.receiver)
        for row in 0..<peers.count {
            guard var state = peers[row], !state.lastMac.isZero else { continue }
            let isAnswered = state.lastMac.withRegion { LinkWire.number($0, 0) == answered }
            guard isAnswered else { continue }
            guard readCookie(datagram, &state) else { return .linkTag }
            // Each message is answered once.
            state.lastMac = Bytes16()
            state.cookieEndNanos = nowNanos + LinkLimits.cookieNanos
            if state.pending != nil, let next = state.nextTryNanos {
                let soon = nowNanos + LinkLimits.retryNanos / 16
                state.nextTryNanos = min(next, soon + random.next(below: soon - nowNanos))
                dueNanos = min(dueNanos, nowNanos)
            }
            peers[row] = state
            return .none
        }
        return .linkUnknown
    }

    private func readCookie(_ datagram: Region, _ state: inout PeerState) -> Bool {
        var (keys, publicKey, cookie, mac) = (Bytes64(), state.staticKey, Bytes16(), state.lastMac)
        let isOpen = keys.withRegion { keys in
            publicKey.withRegion { LinkMac.makeKeys(of: $0, into: keys) }
            return cookie.withRegion { cookie in
                mac.withRegion { mac in
                    ChaChaPoly.openExtended(
                        datagram.slice(LinkWire.cookieSealed, 32),
                        data: mac,
                        key: keys.slice(32, 32),
                        nonce: datagram.slice(LinkWire.cookieNonce, 24),
                        into: cookie
                    )
                }
            }
        }
        if isOpen { state.cookie = cookie }
        return isOpen
    }
}
