import CSandbox
import Foundation

/// Threads that are worse off than others, for tests: each has a closure run on a thread of its
/// own, and waits for it.
public enum Sandbox {
    /// The machine does not let us.
    public struct Refused: Error, CustomStringConvertible {
        /// What it did not let us do, and why.
        public let description: String

        init(_ what: String, _ status: Int32) {
            description = "\(what): \(String(cString: strerror(-status)))"
        }
    }

    /// True if this process may give threads networks of their own.
    public static let hasNetworks: Bool = (try? Network()) != nil

    /// Runs on a thread of its own.
    public static func run<T>(_ body: @escaping () throws -> T) throws -> T {
        let box = Box(body)
        let thread = Thread { box.run() }
        thread.stackSize = 4 << 20
        thread.start()
        return try box.wait()
    }

    /// Runs where `io_uring_setup` fails with `number`, as in a container.
    public static func withoutRing<T>(_ number: Int32, _ body: @escaping () throws -> T) throws -> T
    {
        try run {
            try check("seccomp", sandbox_forbid_ring(number))
            return try body()
        }
    }

    /// Runs as a user without rights, in a process that may lock so much memory.
    public static func withoutRights<T>(
        lockedKibibytes limit: Int64,
        _ body: @escaping () throws -> T
    ) throws -> T {
        try run {
            let before = sandbox_limit_locked(limit)
            defer { _ = sandbox_limit_locked(before) }
            if getuid() == 0 { try check("setresuid", sandbox_become(65_534)) }
            return try body()
        }
    }

    /// Runs while a signal interrupts system calls every `micros`.
    public static func interrupted<T>(
        everyMicros micros: UInt32,
        _ body: @escaping () throws -> T
    ) throws -> T {
        try run {
            try check("timer_create", sandbox_start_ticks(micros))
            defer { sandbox_stop_ticks() }
            return try body()
        }
    }

    static func check(_ what: String, _ status: Int32) throws {
        if status < 0 { throw Refused(what, status) }
    }
}

/// A network namespace of its own, with a loopback device.
public final class Network: Sendable {
    let descriptor: Int32

    /// Makes one; needs the right to (CAP_SYS_ADMIN).
    public init() throws {
        descriptor = try Sandbox.run {
            let descriptor = sandbox_network()
            try Sandbox.check("unshare", descriptor)
            return descriptor
        }
        try command("ip link set lo up")
    }

    deinit { sandbox_close(descriptor) }

    /// Runs on a thread that has this network; its sockets and child processes have it, too.
    public func run<T>(_ body: @escaping () throws -> T) throws -> T {
        try Sandbox.run { [descriptor] in
            try Sandbox.check("setns", sandbox_enter(descriptor))
            return try body()
        }
    }

    /// Runs a program in this network and waits for it; arguments are split at spaces.
    public func command(_ line: String) throws {
        try run {
            let status = sandbox_command(line)
            if status != 0 { throw Sandbox.Refused(line, status < 0 ? status : -EIO) }
        }
    }

    /// Sets whether a device computes checksums of what it sends.
    public func setChecksums(_ device: String, on: Bool) throws {
        try run { try Sandbox.check("ethtool", sandbox_set_checksums(device, on ? 1 : 0)) }
    }
}

/// Two networks joined by a wire: device `wire` in each, 10.77.0.1 and fd77::1 on the left,
/// 10.77.0.2 and fd77::2 on the right.
public struct NetworkPair {
    /// The one with the addresses that end in 1.
    public let left: Network
    /// The one with the addresses that end in 2.
    public let right: Network

    /// Makes both; needs the right to, and `ip`.
    public init(mtu: Int = 1_500) throws {
        left = try Network()
        right = try Network()
        let end = "name wire mtu \(mtu)"
        let there = "/proc/\(getpid())/fd/\(right.descriptor)"
        try left.command("ip link add \(end) type veth peer \(end) netns \(there)")
        for (side, host) in [(left, 1), (right, 2)] {
            try side.command("ip addr add 10.77.0.\(host)/24 dev wire")
            try side.command("ip addr add fd77::\(host)/64 dev wire nodad")
            try side.command("ip link set wire up")
        }
    }

    /// An IPv4 address of one side, four bytes.
    public static func host(_ number: UInt8) -> [UInt8] { [10, 77, 0, number] }

    /// An IPv6 address of one side, sixteen bytes.
    public static func host6(_ number: UInt8) -> [UInt8] {
        [0xfd, 0x77] + [UInt8](repeating: 0, count: 13) + [number]
    }
}

/// Carries a closure to another thread, and its result back.
private final class Box<T>: @unchecked Sendable {
    private let body: () throws -> T
    private var result: Result<T, any Error>?
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping () throws -> T) { self.body = body }

    func run() {
        result = Result { try body() }
        done.signal()
    }

    func wait() throws -> T {
        done.wait()
        guard let result else { fatalError("the thread left no result") }
        return try result.get()
    }
}
