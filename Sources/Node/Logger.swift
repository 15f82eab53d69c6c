internal import Glibc
internal import Synchronization

/// How important a line is.
public enum LogLevel: String, CaseIterable, Comparable, Sendable {
    /// Cannot go on, or lost something.
    case error
    /// Needs the operator's eye.
    case warning
    /// What an operator wants to know.
    case info
    /// What a developer wants to know.
    case debug

    private var rank: Int {
        switch self {
        case .error: 0
        case .warning: 1
        case .info: 2
        case .debug: 3
        }
    }

    /// Errors come first.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}

/// Writes lines to standard error. Takes words and numbers only: never hand it a secret.
public final class Logger: Sendable {
    private struct Rejects {
        var minute: UInt64 = 0
        var seen = Set<String>()
    }

    /// Most different reject lines remembered for a minute; more are not logged.
    private static let rejectLimit = 1_024

    /// Least important lines written.
    public let level: LogLevel
    private let rejects = Mutex(Rejects())

    /// Writes lines of this level and more important ones.
    public init(level: LogLevel) { self.level = level }

    /// Writes one line: time, level, text.
    public func log(_ level: LogLevel, _ text: @autoclosure () -> String) {
        guard level <= self.level else { return }
        writeLine("\(WallClock.text()) \(level.rawValue) \(Logger.oneLine(text()))")
    }

    /// Reports refused packets of a peer: one line for each code and peer a minute. False if that
    /// line was written already.
    @discardableResult
    public func reject(
        code: String,
        peer: String,
        count: UInt64,
        minute: UInt64 = MonotonicClock.nanos() / 60_000_000_000
    ) -> Bool {
        let fresh = rejects.withLock { rejects in
            if rejects.minute != minute { rejects = Rejects(minute: minute) }
            guard rejects.seen.count < Logger.rejectLimit else { return false }
            return rejects.seen.insert("\(code) \(peer)").inserted
        }
        if fresh { log(.info, "refused code=\(code) peer=\(peer) count=\(count)") }
        return fresh
    }

    /// A line stays one line, whatever a peer put into it.
    static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline || ($0.asciiValue ?? 32) < 32 ? " " : $0 })
    }
}

/// Writes one line to standard error.
public func writeLine(_ text: String) {
    try? Files.write(2, "standard error", Array((text + "\n").utf8))
}

/// Time of day, for log lines and records.
enum WallClock {
    static func seconds() -> Int { time(nil) }

    static func millis() -> UInt64 {
        var moment = timespec()
        // clock_gettime fills the structure given.
        unsafe clock_gettime(CLOCK_REALTIME, &moment)
        return UInt64(moment.tv_sec) * 1_000 + UInt64(moment.tv_nsec) / 1_000_000
    }

    /// `2026-03-01T12:00:00Z`.
    static func text(_ seconds: Int = seconds()) -> String {
        var moment = time_t(seconds)
        var parts = unsafe tm()
        // gmtime_r fills the structure given.
        unsafe gmtime_r(&moment, &parts)
        let year = unsafe 1900 + Int(parts.tm_year)
        let date = unsafe "\(year)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        let time = unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return "\(date)T\(time)Z"
    }

    private static func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

/// Nanoseconds of a clock that never goes back; the workers' clock.
public enum MonotonicClock {
    /// Now.
    public static func nanos() -> UInt64 {
        var moment = timespec()
        // clock_gettime fills the structure given.
        unsafe clock_gettime(CLOCK_MONOTONIC, &moment)
        return UInt64(moment.tv_sec) * 1_000_000_000 + UInt64(moment.tv_nsec)
    }
}
