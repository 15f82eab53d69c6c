public import Bytes
public import Exchange
internal import Sphinx
internal import Tickets

extension Engine {
    /// What the header says: who is next, whether the ticket pays for that, and whether the packet
    /// was here before.
    @_noLocks
    public mutating func dedupe(_ batch: inout Batch, snapshot: Snapshot) {
        var left = batch.live
        while let lane = left.popFirst() {
            let bit: LaneMask = 1 << LaneMask(lane)
            if marks.final & bit != 0 {
                let prefix = scratch.prefix[lane]
                if prefix.reply { marks.reply |= bit }
                if prefix.noAck { marks.acks |= bit }
            } else {
                let code = judgeRole(lane, snapshot)
                if code.index != 0 { refuse(&batch, lane, code, Step.role) }
            }
        }
        left = batch.live
        while let lane = left.popFirst() {
            if seen(lane) { refuse(&batch, lane, .replay, Step.replay) }
        }
    }

    @_noLocks
    private mutating func judgeRole(_ lane: Int, _ snapshot: Snapshot) -> Drop {
        let prefix = scratch.prefix[lane]
        let header = snapshot.headerColumn
        let next = snapshot.node(keyID: scratch.nextKeyID[lane])
        nextHop[lane] = next
        guard next != Snapshot.none, !isSelf(scratch.nextKeyID[lane], snapshot) else {
            return .nextHopInvalid
        }
        let least = Ticket.amountLeast(
            price: header[0].policy.price,
            pathPosition: prefix.pathPosition,
            minimum: header[0].policy.minimumAmount
        )
        guard let least, !marks.dummy.contains(lane), lanes.ticket[lane].amount >= least else {
            return .amountLow
        }
        guard prefix.pathPosition > 1 || !prefix.noAck else { return .noAckRefused }
        return .none
    }

    @_noLocks
    private func isSelf(_ keyID: UInt32, _ snapshot: Snapshot) -> Bool {
        let own = snapshot.headerColumn[0].keyIDs
        return keyID == own[0] || keyID == own[1]
    }

    /// The set that a lane's tag belongs to.
    @_noLocks
    func replaySet(_ lane: Int) -> ReplaySet {
        guard marks.previousKey.contains(lane), let previousReplay else { return replay }
        return previousReplay
    }

    @_noLocks
    func seen(_ lane: Int) -> Bool { replaySet(lane).contains(scratch.tag.region(lane)) }
}
