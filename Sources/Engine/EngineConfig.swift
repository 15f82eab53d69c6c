public import Bytes
public import Crypto
public import Sphinx

/// What an engine is made for; fixed for its life.
public struct EngineConfig: BitwiseCopyable, Sendable {
    /// What happens to a decodable packet that is refused.
    public enum AckOnReject: UInt8, BitwiseCopyable, Sendable {
        /// Nothing is sent.
        case none
        /// An acknowledgement with a random half-key, limited per neighbour.
        case random
    }

    /// Sizes of the packet profile.
    public var geometry: Geometry
    /// Acknowledgements that can be awaited at a time.
    public var unackedCapacity = 1 << 16
    /// How long one is awaited.
    public var ackTTLNanos: UInt64 = 10_000_000_000
    /// Rows of the table of neighbours; rounded up to a power of two.
    public var peerRows = 1_024
    /// Engines that share the node's traffic: acknowledgements unknown here may belong to another.
    public var workers = 1
    /// Answers to refused packets.
    public var ackOnReject = AckOnReject.none
    /// Most such answers to one neighbour in a second.
    public var rejectAnswersPerSecond: UInt32 = 100
    /// Opens every response's challenge again before it is reported.
    public var rechecksResponses = false
    /// Reports the keys whose signatures are checked without a table, so that they get one.
    public var tellsKeys = false
    /// What the nonces of our tickets' signatures are made of.
    public var nonces = NonceRule.rfc6979
    /// Verifies every ticket of ours before it leaves; takes a table of our own key.
    public var checksOwnTickets = false
    /// Key of the tables: fresh random words for each process.
    public var hash: KeyedHash

    /// Defaults for a profile.
    public init(geometry: Geometry, hash: KeyedHash) {
        self.geometry = geometry
        self.hash = hash
    }

    var answersRefused: Bool {
        @_noLocks
        get {
            switch ackOnReject {
            case .none: false
            case .random: true
            }
        }
    }
}
