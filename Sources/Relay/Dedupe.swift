internal import Engine

extension Worker {
    /// Next hops and replay tags.
    @_noLocks
    mutating func dedupe() { engine.dedupe(&batch, snapshot: snapshot) }
}
