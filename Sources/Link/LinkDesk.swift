public import Bytes
internal import Cipher
internal import Crypto
internal import Datapath

/// Handshakes, rekeying and keepalives of all links: one thread's, without a socket or a clock.
///
/// Whoever drives it hands in what the gate lets through (`take`), calls `tick` when `dueNanos`
/// has come or the table's `wants` has changed, and then sends what `next` writes until it writes
/// nothing. Times are nanoseconds of one monotonic clock, that of the workers.
public struct LinkDesk: ~Copyable {
    /// What workers use.
    public let table: LinkTable
    let sizes: [Int]
    let keepsSessions: Bool
    let prologue: Memory
    /// Current, then the previous one while it is served.
    var identities: [LinkIdentity]
    var keeper: LinkKeeper
    var random: RandomStream
    let randomMemory: Memory
    var cipher = DatagramCipher()

    /// By row.
    var peers: [PeerState?]
    var rowOfStatic: [Bytes32: UInt32] = [:]
    /// By the index of our handshake.
    var rowOfPending: [UInt32: UInt32] = [:]
    var unplaced: [LinkPeer] = []

    /// States of our handshakes, and one more for whatever is being read; then 64 bytes of keys.
    let secrets: SecretBytes
    var freePlaces: [Int]

    var responses: [WaitingResponse] = []
    var idles: [UInt32] = []
    var initiations: [UInt32] = []
    /// Peers to call that found no place, first come, first served.
    var waiting: [UInt32] = []
    var events: [LinkEvent] = []
    var mismatchNanos: UInt64 = 0

    let startNanos: UInt64
    let wallNanos: UInt64

    /// When `tick` is due.
    public internal(set) var dueNanos: UInt64 = 0
    /// X25519 multiplications so far.
    public internal(set) var curveOperations = 0

    /// A desk for a table, new or with sessions in it.
    ///
    /// - Parameters:
    ///   - seed: 64 random bytes, erased.
    ///   - wallNanos: time since 1970; with `nowNanos` it makes the timestamps that peers compare.
    public init(
        _ table: LinkTable,
        _ config: LinkConfig,
        identity: LinkIdentity,
        seed: Region,
        nowNanos: UInt64,
        wallNanos: UInt64
    ) {
        self.table = table
        sizes = config.sizes
        keepsSessions = config.keepsSessions
        let bytes = config.prologue.bytes
        prologue = Memory(bytes.count)
        prologue.region.store(bytes: bytes, 0)
        identities = [identity]
        keeper = LinkKeeper(table, seed: seed.slice(0, 32))
        randomMemory = Memory(RandomStream.byteCount)
        random = RandomStream(in: randomMemory.region, seed: seed.slice(32, 32))
        peers = [PeerState?](repeating: nil, count: table.size.peers)
        let places = LinkLimits.pendingMax
        secrets = SecretBytes(count: (places + 1) * NoiseIK.byteCount + 64)
        freePlaces = Array((0..<places).reversed())
        startNanos = nowNanos
        self.wallNanos = wallNanos
        for place in 0..<LinkLimits.sizesMax {
            let size = place < sizes.count ? UInt64(sizes[place]) : 0
            table.shared.store(size, SharedCell.sizes + place)
        }
        for word in 0..<2 { table.shared.store(random.next(), SharedCell.cookieSecret + word) }
        publishIdentities()
    }

    // MARK: Identities

    /// What we are from now on; `previous` still answers.
    public mutating func setIdentity(_ current: LinkIdentity, previous: LinkIdentity?) {
        identities = [current] + (previous.map { [$0] } ?? [])
        publishIdentities()
    }

    private func publishIdentities() {
        table.shared.storeReleasing(0, SharedCell.identities)
        for (place, identity) in identities.enumerated() {
            for (half, key) in [identity.macKey, identity.cookieKey].enumerated() {
                for word in 0..<4 {
                    let cell = SharedCell.identityKeys + 8 * place + 4 * half + word
                    table.shared.store(key.load(8 * word), cell)
                }
            }
        }
        table.shared.storeReleasing(UInt64(identities.count), SharedCell.identities)
    }

    // MARK: Memory

    func noise(at place: Int) -> Region {
        secrets.region.slice(place * NoiseIK.byteCount, NoiseIK.byteCount)
    }

    /// Where a message of somebody else is read.
    var scratch: Region { noise(at: LinkLimits.pendingMax) }

    var keyRoom: Region { secrets.region.slice(secrets.count - 64, 64) }

    // MARK: Events

    /// What has happened, oldest first; nil if nothing has.
    public mutating func nextEvent() -> LinkEvent? {
        events.isEmpty ? nil : events.removeFirst()
    }

    mutating func report(_ event: LinkEvent) {
        if events.count < LinkLimits.eventsMax { events.append(event) }
    }
}

/// What the desk knows of a peer besides what the table has.
struct PeerState {
    var peer: LinkPeer
    let staticKey: Bytes32
    /// The registered address has not been written yet: a worker was writing.
    var addressWaits = false

    /// When somebody last wanted a session while there was none.
    var wantedNanos: UInt64?
    /// A handshake of ours that has no answer yet.
    var pending: PendingHandshake?
    /// Initiations since there was a session as wanted.
    var tries = 0
    /// When the next one is due; nil if none is.
    var nextTryNanos: UInt64?
    /// The seconds and nanoseconds of our last timestamp.
    var stamp = Timestamp(seconds: 0, nanos: 0)
    /// When the peer's last initiation was answered.
    var answeredNanos: UInt64?

    /// What the peer asked for as proof of our address, and until when it is good.
    var cookie = Bytes16()
    var cookieEndNanos: UInt64 = 0
    /// First MAC of the last handshake message we sent.
    var lastMac = Bytes16()

    /// Since when data of ours has been unanswered, and data of the peer's.
    var unansweredNanos: UInt64?
    var owedNanos: UInt64?
    var heardNanos: UInt64 = 0
    /// A datagram of padding is due at once.
    var owesIdle = false
    /// It is among those that `next` sends padding to, and among those that it calls.
    var isIdleQueued = false
    var isCallQueued = false
    var isUp = false
}

/// A handshake of ours, begun.
struct PendingHandshake {
    let index: UInt32
    let place: Int
    let identity: LinkIdentity
    let datagramBytes: Int
    let sentNanos: UInt64
}

/// A response, ready but for its padding.
struct WaitingResponse {
    let bytes: [UInt8]
    let datagramBytes: Int
    let address: DatagramAddress
}
