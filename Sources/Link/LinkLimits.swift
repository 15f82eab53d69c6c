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
    /// Sessions that a peer has at once: begun, next, current, previous.
    public static var sessionsPerPeer: Int { @_noLocks get { 4 } }

    // MARK: Silence

    /// Who has received data and sent nothing for so long sends a datagram of padding.
    public static var keepaliveNanos: UInt64 { @_noLocks get { 10_000_000_000 } }
    /// Who has sent data and heard nothing for so long begins a new session.
    public static var silenceNanos: UInt64 { @_noLocks get { 15_000_000_000 } }
    /// What workers note of times is as coarse as this.
    public static var noteNanos: UInt64 { @_noLocks get { 1 << 24 } }
}
