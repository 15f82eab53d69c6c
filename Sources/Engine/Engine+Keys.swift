internal import Bytes
internal import Exchange
internal import Tickets

// Keys that have no table: control is told of those that were of use, now and then.
extension Engine {
    /// Pause between two reports of a key, and of others that share its row.
    private static var pauseNanos: UInt64 { @_noLocks get { 1_000_000_000 } }

    /// Keeps the public keys that recovery found; the decision comes later.
    @_noLocks
    mutating func noteRecovered(_ recovered: LaneMask, _ signed: LaneMask) {
        counters.count(.ticketsByRecovery, by: UInt64(recovered.nonzeroBitCount))
        guard config.tellsKeys else { return }
        marks.recovered = recovered & signed
        var left = marks.recovered
        while let lane = left.popFirst() { keys.signer[lane] = tickets.recoveredSigner(lane) }
    }

    /// Tells who issued an accepted ticket, if that had to be recovered.
    @_noLocks
    mutating func tellSigner(_ lane: Int, nowNanos: UInt64) {
        guard marks.recovered.contains(lane), reports.room() >= reports.capacity / 2 else { return }
        let channel = lanes.channel[lane]
        let row = Int(channel) & (KeyNews.rows - 1)
        guard nowNanos >= keys.signerDue[row] else { return }
        if reports.signer(channel: channel, publicKey: keys.signer[lane]) {
            keys.signerDue[row] = nowNanos + Engine.pauseNanos
        }
    }

    /// Tells of a neighbour with good acknowledgements and without a table.
    @_noLocks
    mutating func tellVerifier(_ node: UInt32, _ snapshot: Snapshot, nowNanos: UInt64) {
        let row = snapshot.nodes[Int(node)]
        guard config.tellsKeys, row.verifier == Snapshot.none,
            reports.room() >= reports.capacity / 2
        else { return }
        let place = Int(row.keyID) & (KeyNews.rows - 1)
        guard nowNanos >= keys.verifierDue[place] else { return }
        if reports.verifier(keyID: row.keyID) {
            keys.verifierDue[place] = nowNanos + Engine.pauseNanos
        }
    }
}

/// When keys without a table may be reported again. Rows are shared, which only delays a report.
struct KeyNews {
    static var rows: Int { @_noLocks get { 256 } }

    /// Public keys that recovery found, one a lane.
    let signer: Column<Bytes64>
    let signerDue: Column<UInt64>
    let verifierDue: Column<UInt64>

    init(_ arena: inout Arena) {
        signer = arena.column(Bytes64.self, Batch.capacity)
        signerDue = arena.column(UInt64.self, KeyNews.rows)
        verifierDue = arena.column(UInt64.self, KeyNews.rows)
    }
}
