internal import CProcess
internal import Glibc

/// A program that we started, in a process group of its own, that ends with us.
public final class Child {
    /// Its process id.
    public let pid: Int32
    /// What it is, for messages.
    public let name: String
    /// Where its output goes.
    public let log: String
    private var status: Int32?

    /// Starts a program; its output goes to the end of a file. To be called on the main thread: the
    /// child is told to end when this thread does.
    public init(name: String, _ path: String, _ arguments: [String], log: String)
        throws(SystemError)
    {
        self.name = name
        self.log = log
        // Paths and arguments go to C for the time of the calls.
        let file = unsafe open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .last("write", log) }
        defer { close(file) }
        var words: [UInt8] = []
        for word in [path] + arguments { words += Array(word.utf8) + [0] }
        let count = Int32(arguments.count + 1)
        pid = unsafe words.withUnsafeMutableBytes { raw in
            guard let base = raw.baseAddress else { return -EINVAL }
            return unsafe process_spawn(base.assumingMemoryBound(to: CChar.self), count, file)
        }
        guard pid > 0 else { throw SystemError("start", path, number: -pid) }
    }

    /// Its exit code, 128 + signal if it was killed; nil if it runs on after some milliseconds.
    public func wait(millis: Int) -> Int32? {
        if let status { return status }
        let ended = process_wait(pid, Int32(clamping: millis))
        guard ended >= 0 else { return nil }
        status = ended
        return ended
    }

    /// True while it runs.
    public var isRunning: Bool { wait(millis: 0) == nil }

    /// Asks it to stop in good order.
    public func terminate() { if isRunning { kill(pid, SIGTERM) } }

    /// Ends it and whatever it started.
    public func destroy() {
        if isRunning {
            kill(-pid, SIGKILL)
            kill(pid, SIGKILL)
            _ = wait(millis: 5_000)
        }
    }

    /// The last lines of its output.
    public func tail(_ count: Int = 5) -> String {
        let text = (try? Files.text(log, limit: 16 << 20)) ?? ""
        return text.split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    /// A program's full path, found in PATH and where Debian keeps servers.
    public static func find(_ program: String) -> String? {
        let folders = (environment("PATH") ?? "").split(separator: ":").map(String.init)
        let places = folders + ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"]
        return places.map { "\($0)/\(program)" }.first { unsafe access($0, X_OK) == 0 }
    }

    /// The program that is running now.
    public static var ourselves: String { target("/proc/self/exe") }

    /// The folder that it runs in.
    public static var folder: String { target("/proc/self/cwd") }

    private static func target(_ link: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            guard let base = raw.baseAddress else { return 0 }
            return unsafe readlink(link, base.assumingMemoryBound(to: CChar.self), raw.count)
        }
        return String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
    }
}
