internal import Glibc

/// What one side of a local socket puts up with.
public struct LineLimits: Sendable {
    /// Longest line, the line feed not counted.
    public var lineBytes = 1 << 20
    /// Longest time from the first byte of a line to its last, and for taking an answer.
    public var lineMillis = 5_000
    /// Longest silence between two lines.
    public var idleMillis = 60_000
    /// Connections at once; the longest silent one makes room for a new one.
    public var connections = 64

    /// The defaults.
    public init() {}
}

/// Milliseconds of a clock that never goes back.
func nowMillis() -> Int {
    var moment = timespec()
    // clock_gettime fills the structure given.
    unsafe clock_gettime(CLOCK_MONOTONIC, &moment)
    return Int(moment.tv_sec) * 1_000 + Int(moment.tv_nsec) / 1_000_000
}
