internal import CHost

#if canImport(Glibc)
internal import Glibc
#endif

/// The machine we run on.
public enum Host {
    /// Nanoseconds of the monotonic clock.
    @_semantics("no_performance_analysis")
    public static func nanos() -> UInt64 { host_nanos() }

    /// CPUs this process may use.
    public static var cpuCount: Int { max(1, Int(host_cpus())) }

    /// True if this process may use a CPU.
    public static func hasCPU(_ cpu: Int) -> Bool {
        Int32(exactly: cpu).map { host_has_cpu($0) == 1 } ?? false
    }

    /// Keeps the process out of core dumps and of debuggers of the same user.
    public static func hide() { _ = host_hide() }

    /// Bytes that the calling thread has allocated so far; nil if jemalloc is not linked.
    public static var allocatedBytes: Int? {
        let bytes = host_allocated()
        return bytes < 0 ? nil : Int(bytes)
    }

    /// Closes a descriptor.
    public static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    /// An inherited descriptor is not handed on to programs that this one starts.
    public static func keep(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

    /// Another descriptor of the same thing.
    public static func share(_ descriptor: Int32) throws(DatapathError) -> Int32 {
        let other = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard other >= 0 else { throw .system("fcntl", errno) }
        return other
    }

    /// Runs `body` on a thread of its own.
    ///
    /// - Parameters:
    ///   - name: at most 15 bytes, seen in `top`.
    ///   - cpu: the thread stays there if the system permits.
    public static func startThread(
        _ name: String,
        cpu: Int? = nil,
        _ body: @escaping @Sendable () -> Void
    ) throws(DatapathError) {
        let start = ThreadStart(cpu: cpu, body: body)
        let context = unsafe Unmanaged.passRetained(start).toOpaque()
        let status = unsafe host_thread(runThread, context, name)
        guard status < 0 else { return }
        unsafe Unmanaged<ThreadStart>.fromOpaque(context).release()
        throw .system("pthread_create", -status)
    }
}

private final class ThreadStart: Sendable {
    let cpu: Int?
    let body: @Sendable () -> Void

    init(cpu: Int?, body: @escaping @Sendable () -> Void) {
        self.cpu = cpu
        self.body = body
    }
}

private func runThread(_ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
    if let cpu = start.cpu { _ = host_pin(Int32(cpu)) }
    start.body()
}
