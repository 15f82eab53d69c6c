internal import Glibc
public import LocalSocket
public import Store

/// The ledger as a process: a service behind a unix socket that only its owner can open.
public final class LedgerServer: Sendable {
    private let service: LedgerService
    private let server: LineServer

    /// Starts to listen on `socket`.
    public init(_ store: sending LedgerStore, socket: String) throws(LocalSocketError) {
        let service = LedgerService(store)
        self.service = service
        let box = StopBox()
        server = try LineServer(path: socket, limits: Self.limits) { line in
            let answer = service.answer(line, nowMillis: wallMillis())
            if service.failure != nil { box.stop() }
            return answer
        }
        box.server = server
    }

    /// Serves until `stop`, or until the disk fails, which it throws.
    public func run() throws(StoreError) {
        server.run()
        if let failure = service.failure { throw failure }
    }

    /// Asks `run` to return; may be called from any thread or signal handler.
    public func stop() { server.stop() }

    /// Long enough for 64 tickets with VRF proofs.
    static var limits: LineLimits {
        var limits = LineLimits()
        limits.lineBytes = 256 << 10
        return limits
    }
}

/// Lets the handler stop the server that owns it; set once, before the server runs.
private final class StopBox: @unchecked Sendable {
    weak var server: LineServer?

    func stop() { server?.stop() }
}

/// Milliseconds since 1970.
func wallMillis() -> UInt64 {
    var moment = timespec()
    // clock_gettime fills the structure given.
    unsafe clock_gettime(CLOCK_REALTIME, &moment)
    return UInt64(moment.tv_sec) * 1_000 + UInt64(moment.tv_nsec) / 1_000_000
}
