internal import Bytes
internal import Crypto

/// Who the neighbours are.
extension LinkDesk {
    /// Replaces the neighbours by those of the register.
    ///
    /// Peers that stay keep their sessions, and the endpoint they were heard from unless the
    /// register has another address than before. A key that is no point of the curve, or is ours,
    /// is left out.
    ///
    /// - Returns: how many found no room; they are placed later if rows become free.
    @discardableResult
    public mutating func setPeers(_ list: [LinkPeer], nowNanos: UInt64) -> Int {
        var wanted: [UInt32: LinkPeer] = [:]
        for peer in list { wanted[peer.keyID] = peer }
        for row in 0..<peers.count {
            guard let state = peers[row] else { continue }
            let now = wanted[state.peer.keyID]
            if now?.packetKey != state.peer.packetKey { remove(UInt32(row)) }
        }
        dropUnknown(keeping: wanted)
        unplaced = []
        for keyID in list.map(\.keyID) {
            guard let peer = wanted.removeValue(forKey: keyID) else { continue }
            let row = table.peer(keyID: peer.keyID)
            if row != LinkTable.none, peers[Int(row)] != nil {
                move(row, peer)
            } else if !place(peer) {
                unplaced.append(peer)
            }
        }
        dueNanos = nowNanos
        return unplaced.count
    }

    /// Rows that another process left, and that the register no longer has.
    private mutating func dropUnknown(keeping wanted: [UInt32: LinkPeer]) {
        for row in 0..<UInt32(table.size.peers) where peers[Int(row)] == nil {
            guard table.isPeer(row), wanted[table.keyID(row)] == nil else { continue }
            keeper.removePeer(row)
        }
    }

    /// Peers that found no row before.
    mutating func placeRest() {
        guard !unplaced.isEmpty else { return }
        let rest = unplaced
        unplaced = rest.filter { !place($0) }
    }

    /// True if the peer has a row now, or never will.
    private mutating func place(_ peer: LinkPeer) -> Bool {
        guard let staticKey = X25519.publicKey(ofPacketKey: peer.packetKey),
            rowOfStatic[staticKey] == nil,
            !identities.contains(where: { $0.publicKey.load(0) == staticKey })
        else { return true }
        var row = table.peer(keyID: peer.keyID)
        let mark = LinkDesk.mark(staticKey)
        if row != LinkTable.none, table.keyMark(row) != mark {
            // Another process left a peer there that had the same id and another key.
            keeper.removePeer(row)
            row = LinkTable.none
        }
        if row == LinkTable.none {
            guard let made = keeper.addPeer(keyID: peer.keyID, address: peer.address) else {
                return false
            }
            row = made
            table.setKeyMark(row, mark)
        }
        peers[Int(row)] = PeerState(peer: peer, staticKey: staticKey)
        rowOfStatic[staticKey] = row
        return true
    }

    /// Enough of a key to tell it from another by chance.
    private static func mark(_ key: Bytes32) -> UInt64 {
        var key = key
        return key.withRegion { $0.load(0) }
    }

    private mutating func move(_ row: UInt32, _ peer: LinkPeer) {
        guard let before = peers[Int(row)]?.peer else { return }
        peers[Int(row)]?.peer = peer
        if let address = peer.address, address != before.address {
            peers[Int(row)]?.addressWaits = !keeper.setEndpoint(row, address)
        }
    }

    private mutating func remove(_ row: UInt32) {
        guard let state = peers[Int(row)] else { return }
        abandon(row)
        if state.isUp { report(.down(keyID: state.peer.keyID)) }
        rowOfStatic[state.staticKey] = nil
        peers[Int(row)] = nil
        idles.removeAll { $0 == row }
        initiations.removeAll { $0 == row }
        waiting.removeAll { $0 == row }
        keeper.removePeer(row)
    }

    /// Ends our handshake with the peer, if there is one.
    mutating func abandon(_ row: UInt32) {
        guard let pending = release(row) else { return }
        keeper.end(pending.index)
    }

    /// Our handshake with the peer needs its memory no more.
    mutating func release(_ row: UInt32) -> PendingHandshake? {
        guard let pending = peers[Int(row)]?.pending else { return nil }
        zeroize(noise(at: pending.place))
        freePlaces.append(pending.place)
        rowOfPending[pending.index] = nil
        peers[Int(row)]?.pending = nil
        return pending
    }

    /// Somebody wants a session with the neighbour; nothing happens if it is none.
    public mutating func wants(keyID: UInt32, nowNanos: UInt64) {
        let row = table.peer(keyID: keyID)
        guard row != LinkTable.none else { return }
        peers[Int(row)]?.wantedNanos = nowNanos
        dueNanos = nowNanos
    }
}

extension LinkTable {
    /// What the desk that made the row remembered of the peer's key.
    func keyMark(_ row: UInt32) -> UInt64 { rows.load(cell(row, RowCell.keyMark)) }

    func setKeyMark(_ row: UInt32, _ mark: UInt64) {
        rows.store(mark, cell(row, RowCell.keyMark))
    }
}
