internal import Engine

extension Worker {
    /// Proof of relay and tickets; the decision, and the ticket for the next hop. A worker that
    /// stops accepts only what ends here: acknowledgements are still worth money.
    @_noLocks
    mutating func settle() {
        let room = stopNanos == 0 ? config.mixerCapacity - heldCount : -1
        engine.settle(&batch, slab: slab, snapshot: snapshot, mixerRoom: room)
    }
}
