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
        while find(name) != 0 { usleep(1_000) }
    }
}
