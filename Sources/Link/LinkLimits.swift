/// Every time, volume and number that bounds a link.
public enum LinkLimits {
    // MARK: Datagrams

    /// Bytes of a datagram where nothing else is configured: with the heads of IPv6 and UDP a
    /// frame of 1,500.
    public static var datagramBytes: Int { @_noLocks get { 1_452 } }
    /// The least: fits every path of IPv6.
    public static var datagramBytesMin: Int { @_noLocks get { 1_232 } }
    /// The most: fits a jumbo frame of 9,000.
    public static var datagramBytesMax: Int { @_noLocks get { 8_952 } }
    /// Datagrams that share a train.
    public static var trainDatagramsMax: Int { @_noLocks get { 44 } }

    /// Bytes of a datagram besides its plaintext: head and tag.
    public static var overheadBytes: Int { @_noLocks get { 32 } }

    // MARK: Sessions

    /// A session is not used from then on.
    public static var rejectNanos: UInt64 { @_noLocks get { 180_000_000_000 } }
    /// The side that began a session begins the next one.
    public static var rekeyNanos: UInt64 { @_noLocks get { 120_000_000_000 } }
    /// The other side does, if that one has not.
    public static var stepInNanos: UInt64 { @_noLocks get { 150_000_000_000 } }
    /// Datagrams after which the next session is begun.
    public static var rekeyDatagrams: UInt64 { @_noLocks get { 1 << 32 } }
    /// Counters from here on are neither sent nor taken. The replay window counts to 2^37.
    public static var rejectDatagrams: UInt64 { @_noLocks get { 1 << 36 } }
    /// Counters that are told apart behind the highest one.
    public static var windowDatagrams: Int { @_noLocks get { 8_192 } }
    /// Sessions of a peer that open and seal at once: the current one, and those before it.
    public static var livePerPeer: Int { @_noLocks get { 3 } }
    /// Session slots of a peer: those, one that is begun, and one that is not proven.
    public static var sessionsPerPeer: Int { @_noLocks get { 5 } }

    // MARK: Silence

    /// Who has received data and sent nothing for so long sends a datagram of padding.
    public static var keepaliveNanos: UInt64 { @_noLocks get { 10_000_000_000 } }
    /// Who has sent data and heard nothing for so long begins a new session.
    public static var silenceNanos: UInt64 { @_noLocks get { 15_000_000_000 } }
    /// What workers note of times is as coarse as this.
    public static var noteNanos: UInt64 { @_noLocks get { 1 << 24 } }

    // MARK: Handshakes

    /// Sizes that datagrams of a node's links may have: the configured one and those it falls back
    /// to.
    public static var sizesMax: Int { @_noLocks get { 3 } }
    /// Handshake messages from one address, or from one /64, in a second, and at once.
    public static var sourcePerSecond: UInt64 { @_noLocks get { 20 } }
    /// See `sourcePerSecond`.
    public static var sourceBurst: UInt64 { @_noLocks get { 64 } }
    /// Handshake messages in a second, and at once, that the desk is given.
    public static var handshakesPerSecond: UInt64 { @_noLocks get { 400 } }
    /// See `handshakesPerSecond`.
    public static var handshakeBurst: UInt64 { @_noLocks get { 400 } }
    /// Handshake messages in a second, and at once, from which on cookies are asked for.
    public static var loadPerSecond: UInt64 { @_noLocks get { 100 } }
    /// See `loadPerSecond`.
    public static var loadBurst: UInt64 { @_noLocks get { 200 } }
    /// Cookie replies in a second, and at once, sent or taken.
    public static var cookiesPerSecond: UInt64 { @_noLocks get { 500 } }
    /// See `cookiesPerSecond`.
    public static var cookieBurst: UInt64 { @_noLocks get { 100 } }
    /// How long a cookie is good, at most.
    public static var cookieNanos: UInt64 { @_noLocks get { 120_000_000_000 } }
    /// Least time between two initiations of a peer that are answered.
    public static var initiationNanos: UInt64 { @_noLocks get { 20_000_000 } }

    /// Handshakes of ours at once; peers beyond that wait.
    public static var pendingMax: Int { @_noLocks get { 256 } }
    /// How long an answer is waited for: afterwards the place is another peer's.
    public static var pendingNanos: UInt64 { @_noLocks get { 5_000_000_000 } }
    /// Responses that wait to be sent.
    public static var responsesMax: Int { @_noLocks get { 256 } }
    /// Events that wait to be taken; more are forgotten.
    public static var eventsMax: Int { @_noLocks get { 256 } }
    /// Time to the first retry; doubled on every second one.
    public static var retryNanos: UInt64 { @_noLocks get { 1_000_000_000 } }
    /// The longest time between retries.
    public static var retryNanosMax: UInt64 { @_noLocks get { 30_000_000_000 } }
    /// Tries after which the peer is reported as unreachable.
    public static var triesReported: Int { @_noLocks get { 6 } }
    /// A peer that nobody wants is given up after so long.
    public static var giveUpNanos: UInt64 { @_noLocks get { 90_000_000_000 } }
    /// An initiation that crosses ours within this time of our sending gives way, if ours counts.
    public static var crossingNanos: UInt64 { @_noLocks get { 1_000_000_000 } }
    /// How often the desk looks at what workers have noted.
    public static var pollNanos: UInt64 { @_noLocks get { 1_000_000_000 } }
}
