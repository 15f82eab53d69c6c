/// Bounds of an exit or a tunnel. Every table that somebody else can fill has one.
public struct Limits: Sendable, Equatable {
    /// Pseudonyms served at a time.
    public var sessions = 1_024
    /// Flows open at a time, over all pseudonyms.
    public var flows = 4_096
    /// Flows of one pseudonym.
    public var flowsPerSession = 256
    /// SURBs kept for one pseudonym.
    public var surbsPerSession = 512
    /// SURBs kept over all pseudonyms.
    public var surbs = 65_536
    /// Answers that wait for SURBs, one pseudonym.
    public var waitingPerSession = 64
    /// Answers that wait for SURBs, over all pseudonyms.
    public var waiting = 4_096
    /// Unfinished datagrams, over all pseudonyms.
    public var partials = 1_024
    /// Unfinished datagrams of one pseudonym.
    public var partialsPerSession = 64
    /// Packets a second that one pseudonym may send, with a burst of as many.
    public var packetsPerSecond = 2_000
    /// A flow without traffic is closed after this.
    public var idleFlowNanos: UInt64 = 60_000_000_000
    /// A pseudonym without traffic is forgotten after this, SURBs included.
    public var idleSessionNanos: UInt64 = 600_000_000_000

    /// The defaults.
    public init() {}
}

/// Lets `rate` things a second through, and as many at once after a rest.
struct TokenBucket: Sendable {
    private let rate: UInt64
    /// Tokens, in parts of a thousand million.
    private var level: UInt64
    private var updated: UInt64

    private static let unit: UInt64 = 1_000_000_000

    init(perSecond: Int, now: UInt64) {
        rate = UInt64(max(1, perSecond))
        level = rate * Self.unit
        updated = now
    }

    mutating func take(now: UInt64) -> Bool {
        let elapsed = min(now &- min(now, updated), Self.unit)
        updated = now
        level = min(rate * Self.unit, level + elapsed * rate)
        guard level >= Self.unit else { return false }
        level -= Self.unit
        return true
    }
}
