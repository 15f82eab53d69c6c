internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

extension Worker {
    /// Hands the trains to the kernel.
    @_noLocks
    mutating func send() { submit() }

    /// Seals the trains that are queued, and sends them.
    @_noLocks
    mutating func submit() {
        links.sealQueued()
        if !port.submit() { board.set(.failed) }
    }
}
