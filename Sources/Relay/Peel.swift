internal import Engine

extension Worker {
    /// Shared secrets and header MACs: one layer off every packet that was made for us.
    @_noLocks
    mutating func peel() { engine.peel(&batch, slab: slab, snapshot: snapshot) }
}
