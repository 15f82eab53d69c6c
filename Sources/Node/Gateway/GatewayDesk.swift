internal import Bytes
internal import Crypto
internal import Exchange
internal import Gateway
internal import Sphinx
internal import Synchronization

/// What the entry side of a node is to do.
struct EntrySetup: Sendable {
    /// Target, as on the exit's list.
    var target: String
    /// Chain address of the exit.
    var exit: Address
    /// Relays on each path.
    var hops: Int
    /// Bounds.
    var limits: Limits
}

/// What the gateway's thread is told by others.
struct GatewayNews: Sendable {
    var deliveries: [Delivery] = []
    var finder: PathFinder?
    var targets: [HostPort]?
    var isStopping = false
}

/// Counts of the gateway, read by anybody.
struct GatewayCounts: Sendable {
    var drops: [Drop: UInt64] = [:]
    var entry: Entry.Counters?
    var exit: Exit.Counters?
    var noPath: UInt64 = 0
    /// Packets that could not be posted.
    var unposted: UInt64 = 0
}

/// Entry and exit with their sockets, on a thread of their own.
///
/// Everything but the mailbox belongs to that thread. It waits for its sockets and the bell;
/// nothing it does blocks.
final class GatewayDesk: Sendable {
    /// Deliveries that wait at most.
    static let mailboxMax = 16_384

    private let mailbox = Mutex(GatewayNews())
    private let shown = Mutex(GatewayCounts())
    private let bell: Bell

    init() throws(SystemError) { bell = try Bell() }

    /// Hands over packets that ended here; false for those that found no room.
    func deliver(_ deliveries: [Delivery]) -> Int {
        let refused = mailbox.withLock { news in
            let room = max(0, Self.mailboxMax - news.deliveries.count)
            news.deliveries += deliveries.prefix(room)
            return max(0, deliveries.count - room)
        }
        bell.ring()
        if refused > 0 {
            shown.withLock { $0.drops[.deliveryFull, default: 0] += UInt64(refused) }
        }
        return refused
    }

    /// Register and channels have changed.
    func update(_ finder: PathFinder) { tell { $0.finder = finder } }

    /// The exit's list has changed.
    func reload(_ targets: [HostPort]) { tell { $0.targets = targets } }

    /// Takes no more datagrams; what comes from the mixnet is still delivered.
    func quiesce() { tell { $0.isStopping = true } }

    /// Has the thread look up: there may be a reason to end.
    func wake() { bell.ring() }

    /// What happened so far.
    var counts: GatewayCounts { shown.withLock { $0 } }

    private func tell(_ change: (inout GatewayNews) -> Void) {
        mailbox.withLock { change(&$0) }
        bell.ring()
    }

    /// Takes the news; the bell is silent afterwards.
    func news() -> GatewayNews {
        bell.clear()
        return mailbox.withLock { news in
            defer {
                let isStopping = news.isStopping
                news = GatewayNews()
                news.isStopping = isStopping
            }
            return news
        }
    }

    /// Can be read when there are news.
    var file: Int32 { bell.file }

    /// Shows counts to others.
    func show(_ change: (inout GatewayCounts) -> Void) { shown.withLock { change(&$0) } }
}
