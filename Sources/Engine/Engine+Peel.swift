public import Bytes
public import Exchange
internal import Sphinx

extension Engine {
    /// Opens the headers; lanes whose MAC fails are tried with the previous packet key.
    @_noLocks
    public mutating func peel(_ batch: inout Batch, slab: Slab, snapshot: Snapshot) {
        marks.peeled = batch.live
        let lanes = UInt64(batch.live.nonzeroBitCount)
        counters.count(.lanesUsed, by: lanes)
        counters.count(.lanesRun, by: (lanes + 7) & ~7)
        var found = open(batch, batch.live, slab, snapshot, key: 0)
        if snapshot.headerColumn[0].hasPrevious == 1, found.headerMac != 0 {
            let again = open(batch, found.headerMac, slab, snapshot, key: 1)
            marks.previousKey = again.opened | again.headerVersion
            found.opened |= again.opened
            found.final |= again.final
            found.alphaInvalid |= again.alphaInvalid
            found.alphaNeutral |= again.alphaNeutral
            found.headerVersion |= again.headerVersion
            found.headerMac = again.headerMac
        }
        refuse(&batch, mask: found.alphaInvalid, .alphaInvalid, Step.peel)
        refuse(&batch, mask: found.alphaNeutral, .alphaNeutral, Step.peel)
        refuse(&batch, mask: found.headerMac, .headerMac, Step.peel)
        refuse(&batch, mask: found.headerVersion, .headerVersion, Step.peel)
        marks.opened = found.opened
        marks.final = found.final
    }

    @_noLocks
    private func open(
        _ batch: borrowing Batch,
        _ mask: LaneMask,
        _ slab: Slab,
        _ snapshot: Snapshot,
        key: Int
    ) -> PeelOutcome {
        Peel.open(
            batch,
            lanes: mask,
            slab: slab,
            geometry: config.geometry,
            key: PeelKey(
                scalar: snapshot.scalars.region(key),
                publicKey: snapshot.publicKeys.region(key)
            ),
            scratch: scratch
        )
    }

    @_noLocks
    mutating func refuse(_ batch: inout Batch, mask: LaneMask, _ code: Drop, _ step: UInt8) {
        var left = mask
        while let lane = left.popFirst() { refuse(&batch, lane, code, step) }
    }
}
