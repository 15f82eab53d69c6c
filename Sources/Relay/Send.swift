internal import Bytes
internal import Datapath
internal import Exchange

extension Worker {
    /// Hands the trains to the kernel.
    @_noLocks
    mutating func send() {
        if !port.submit() { board.set(.failed) }
    }
}
