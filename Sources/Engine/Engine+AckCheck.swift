internal import Bytes
internal import Exchange
internal import Sphinx
internal import Tickets

// Signatures and points of acknowledgements: what depends on no state, done for many at once.
extension Engine {
    /// Checks the acknowledgements that a batch carries, before it is decided: up to 64 in a call,
    /// of all its neighbours.
    @_noLocks
    mutating func checkAcks(_ batch: borrowing Batch, _ slab: Slab, _ snapshot: Snapshot) {
        desk.first.region.fill(0xff)
        var left = batch.live & marks.final & marks.acks
        var (waiting, total) = (0, 0)
        while let lane = left.popFirst() {
            let node = batch.source[lane]
            guard isExpected(node, snapshot), let acks = acks(payload(batch, lane, slab)) else {
                continue
            }
            desk.first[lane] = UInt32(total + waiting)
            for index in 0..<acks.count {
                desk.acks[waiting] = acks[index]
                desk.node[waiting] = node
                waiting += 1
                guard waiting == Batch.capacity else { continue }
                checkWaiting(waiting, resultsFrom: total, snapshot)
                (waiting, total) = (0, total + waiting)
            }
        }
        if waiting > 0 { checkWaiting(waiting, resultsFrom: total, snapshot) }
    }

    /// The acknowledgements of a payload whose layout was checked, those that are taken.
    @_noLocks
    func acks(_ payload: Region) -> Column<Acknowledgement>? {
        let padding = Padding.find(payload)
        guard let text = plainText(payload, padding.dataOffset),
            let acks = Acknowledgements.parse(text)
        else { return nil }
        return desk.taken(acks)
    }

    /// Checks acknowledgements of one neighbour that came outside a batch, or that nobody expected
    /// when it began. Returns where the results begin.
    @_noLocks
    mutating func checkAlone(
        _ acks: Column<Acknowledgement>,
        from node: UInt32,
        _ snapshot: Snapshot
    ) -> Int {
        for index in 0..<acks.count {
            desk.acks[index] = acks[index]
            desk.node[index] = node
        }
        checkWaiting(acks.count, resultsFrom: desk.spare, snapshot)
        return desk.spare
    }

    /// Checks what waits in the first columns: signatures by the neighbours' packet keys, or by the
    /// other one of those that change keys; then the points.
    @_noLocks
    mutating func checkWaiting(
        _ count: Int,
        resultsFrom start: Int,
        _ snapshot: Snapshot
    ) {
        let all = LaneMask.first(count)
        var signed = verify(all, snapshot)
        var again: LaneMask = 0
        var left = all & ~signed
        while let lane = left.popFirst() {
            let alias = snapshot.nodes[Int(desk.node[lane])].alias
            guard Int(alias) < snapshot.nodes.count else { continue }
            desk.node[lane] = alias
            again |= 1 << LaneMask(lane)
        }
        if again != 0 { signed |= verify(again, snapshot) }
        let hinted = tickets.hints(of: desk.acks, lanes: signed, into: desk.hint)
        for lane in 0..<count {
            let code: Drop =
                hinted.contains(lane) ? .none : signed.contains(lane) ? .ackScalar : .ackSignature
            desk.code[start + lane] = code.index
            desk.hints[start + lane] = desk.hint[lane]
        }
    }

    /// Which lanes the node of each has signed.
    @_noLocks
    private func verify(_ mask: LaneMask, _ snapshot: Snapshot) -> LaneMask {
        let verifiers = snapshot.headerColumn[0].verifiers
        var tables = LaneTables(verifiers.slab)
        var left = mask
        while let lane = left.popFirst() {
            let row = snapshot.nodes[Int(desk.node[lane])]
            if Int(row.verifier) < verifiers.count {
                tables.set(lane, place: row.verifier)
                verifiers.mark(row.verifier)
            } else {
                desk.signer[lane] = row.packetKey
            }
        }
        let byTable = tables.lanes.nonzeroBitCount
        counters.count(.acksByTable, by: UInt64(byTable))
        counters.count(.acksByKey, by: UInt64(mask.nonzeroBitCount - byTable))
        return Acknowledgements.verifyVariableTime(
            desk.acks,
            signers: desk.signer,
            tables: tables,
            lanes: mask
        )
    }
}
