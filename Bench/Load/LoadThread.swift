internal import CLoadIO

#if canImport(Glibc)
internal import Glibc
#endif

/// Threads of this process, by name.
enum LoadThread {
    /// A thread's number; 0 if there is none.
    static func find(_ name: String) -> Int32 { unsafe load_thread(name) }

    /// A thread that was asked to end may take a moment.
    static func waitUntilGone(_ name: String) {
        while find(name) != 0 { rest() }
    }

    /// Lets others run for a millisecond.
    static func rest() { usleep(1_000) }

    /// Runs `body` with the calling thread tied to a CPU, if one is named.
    static func pinned<T: ~Copyable>(
        _ cpu: Int?,
        _ body: () throws(LoadError) -> T
    ) throws(LoadError) -> T {
        guard let cpu else { return try body() }
        var before = load_cpus()
        guard unsafe load_pin(Int32(cpu), &before) >= 0 else { throw LoadError("no CPU \(cpu)") }
        defer { unsafe load_unpin(&before) }
        return try body()
    }
}
