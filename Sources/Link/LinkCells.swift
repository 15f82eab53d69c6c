internal import Bytes

/// Cells of a peer's row, in four cache lines: what is read, where it is, who wrote that, times.
enum RowCell {
    static var count: Int { @_noLocks get { 32 } }

    /// Key id; bit 32 is set while the row is in use.
    static var keyID: Int { @_noLocks get { 0 } }
    /// The session to send on: sequence above, index below; only ever rises.
    static var sending: Int { @_noLocks get { 1 } }
    /// Packets wait for a session.
    static var wanted: Int { @_noLocks get { 2 } }
    /// How often the endpoint has changed; the low bit says which of two places it is in.
    static var endpointVersion: Int { @_noLocks get { 3 } }
    /// Two places of three words.
    static var endpoints: Int { @_noLocks get { 8 } }
    /// 1 while somebody writes the endpoint.
    static var endpointLock: Int { @_noLocks get { 16 } }
    /// Session and counter of the datagram that moved the endpoint last.
    static var endpointSequence: Int { @_noLocks get { 17 } }
    static var endpointCounter: Int { @_noLocks get { 18 } }
    /// The newest timestamp of the peer's initiations: two words; the desk's alone.
    static var timestamp: Int { @_noLocks get { 20 } }
    /// Eight bytes of the peer's static key; the desk's alone.
    static var keyMark: Int { @_noLocks get { 22 } }
    /// When data was sent and received, and when anything was.
    static var sentNanos: Int { @_noLocks get { 24 } }
    static var receivedNanos: Int { @_noLocks get { 25 } }
    static var spokenNanos: Int { @_noLocks get { 26 } }
    static var heardNanos: Int { @_noLocks get { 27 } }
    /// Numbers of the last pings of ours that the peer answered, by their low two bits.
    static var pongs: Int { @_noLocks get { 28 } }
}

/// Cells of a session, in three cache lines: what is read, what is sent, what is received.
enum SessionCell {
    static var count: Int { @_noLocks get { 24 } }

    /// See `SessionState`.
    static var state: Int { @_noLocks get { 0 } }
    /// The next counter to send.
    static var next: Int { @_noLocks get { 8 } }
    /// One more than the highest counter taken.
    static var highest: Int { @_noLocks get { 16 } }
}

/// Cells of the table.
enum SharedCell {
    static var count: Int { @_noLocks get { 64 } }

    /// How often a worker wanted a session.
    static var wants: Int { @_noLocks get { 0 } }
    /// Somebody says there is load, until then.
    static var busyNanos: Int { @_noLocks get { 1 } }
    /// Meters of handshakes: for load, for the desk, for cookie replies sent and taken.
    static var load: Int { @_noLocks get { 8 } }
    static var desk: Int { @_noLocks get { 9 } }
    static var cookiesSent: Int { @_noLocks get { 10 } }
    static var cookiesTaken: Int { @_noLocks get { 11 } }
    /// Trains get lost on the way that single datagrams do not.
    static var losesTrains: Int { @_noLocks get { 12 } }
    /// Sizes that datagrams may have.
    static var sizes: Int { @_noLocks get { 16 } }
    /// Own identities in use, and eight words for each of two: MAC key, cookie key.
    static var identities: Int { @_noLocks get { 24 } }
    static var identityKeys: Int { @_noLocks get { 32 } }
    /// The secret that cookies are made with.
    static var cookieSecret: Int { @_noLocks get { 48 } }
}

/// How far a session is.
enum SessionPhase: UInt8 {
    /// Nobody's.
    case free
    /// The index of a handshake of ours that has no answer yet.
    case begun
    /// The peer began it and has not shown that it has the keys: opens, does not seal.
    case unproven
    /// Opens and seals.
    case live
    /// Over; waits until no worker can be using it.
    case ended

    // By switches: the packet path compares no enumerations.
    var opens: Bool {
        @_noLocks
        get {
            switch self {
            case .unproven, .live: true
            case .free, .begun, .ended: false
            }
        }
    }

    var isLive: Bool {
        @_noLocks
        get {
            switch self {
            case .live: true
            case .free, .begun, .unproven, .ended: false
            }
        }
    }

    var isBegun: Bool {
        @_noLocks
        get {
            switch self {
            case .begun: true
            case .free, .unproven, .live, .ended: false
            }
        }
    }
}

/// A session's index and phase: one word, so that a reader sees both or neither.
struct SessionState {
    let word: UInt64

    @_noLocks
    init(_ word: UInt64) { self.word = word }

    @_noLocks
    init(index: UInt32, phase: SessionPhase) {
        word = UInt64(index) << 32 | UInt64(phase.rawValue)
    }

    var index: UInt32 { @_noLocks get { UInt32(truncatingIfNeeded: word >> 32) } }

    var phase: SessionPhase {
        @_noLocks
        get { SessionPhase(rawValue: UInt8(truncatingIfNeeded: word)) ?? .free }
    }
}

/// What does not change while a session opens or seals.
struct SessionFacts: BitwiseCopyable {
    var createdNanos: UInt64
    /// Sessions of a table are numbered in the order they were made.
    var sequence: UInt32
    var row: UInt32
    var keyID: UInt32
    /// The peer's index.
    var remoteIndex: UInt32
    var datagramBytes: UInt32
    var isInitiator: UInt8
}

/// Keys of a session.
struct SessionKeys: BitwiseCopyable {
    var send = Bytes32()
    var receive = Bytes32()

    static var receiveOffset: Int { @_noLocks get { 32 } }
}
