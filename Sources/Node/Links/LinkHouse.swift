internal import Bytes
internal import Channels
internal import Crypto
internal import Datapath
internal import Exchange
internal import Link
internal import Synchronization

/// Links to neighbours, for as long as the node runs: packet threads come and go around them.
///
/// A thread of its own drives the desk: handshakes that workers let through, what is due by time,
/// and what the desk wants to send.
final class LinkHouse: Sendable {
    /// What a link house is made for.
    struct Plan: Sendable {
        var config: LinkConfig
        var peers: Int
        var workers: Int
        /// Datagrams shall be as long as the paths take.
        var asksPath: Bool
        /// Memory of links that are up, and the key of its hash; nil for new memory.
        var handed: Handed?
    }

    /// What a link house leaves to that of another program.
    struct Handed: Sendable {
        /// The receiver's to close.
        var descriptor: Int32
        var hash: KeyedHash
    }

    private struct State: ~Copyable {
        var desk: LinkDesk
        var strangers: [StrangerReader] = []
        var socket: DatagramSocket?
        var wantsSeen: UInt64 = 0
        /// Neighbours with a channel, for which a link is kept.
        var partners: Set<UInt32> = []
        var drops: [Drop: UInt64] = [:]
        var sessions = 0
        var unsent: UInt64 = 0
        var saidTrainsLost = false
    }

    /// Sessions, shared by workers and the desk.
    let table: LinkTable
    /// Sizes that datagrams may have.
    let sizes: [Int]
    private let asksPath: Bool
    private let logger: Logger
    private let state: Mutex<State>
    private let memory: SharedPages
    private let hash: KeyedHash
    private let room: Memory
    private let isStopping = Atomic<Bool>(false)

    /// Takes memory for links to so many neighbours, which so many workers use.
    init(_ plan: Plan, key: PacketKey, logger: Logger) throws(DatapathError) {
        let size = LinkSize(peers: plan.peers, workers: plan.workers)
        let byteCount = LinkTable.byteCount(size)
        if let handed = plan.handed {
            memory = try SharedPages(adopting: handed.descriptor, byteCount: byteCount)
            hash = handed.hash
        } else {
            memory = try SharedPages(byteCount, wide: true)
            hash = KeyedHash(UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        }
        var arena = Arena(memory.region)
        table = LinkTable(&arena, size, hash: hash)
        sizes = plan.config.sizes
        asksPath = plan.asksPath
        room = Memory(LinkLimits.datagramBytesMax)
        self.logger = logger
        let seed = Memory(64)
        Random.fill(seed.region)
        let desk = LinkDesk(
            table,
            plan.config,
            identity: LinkIdentity(key),
            seed: seed.region,
            nowNanos: MonotonicClock.nanos(),
            wallNanos: WallClock.millis() * 1_000_000
        )
        withExtendedLifetime(seed) {}
        state = Mutex(State(desk: desk))
    }

    // MARK: control

    /// What workers let through comes from these threads from now on, and answers leave by their
    /// socket.
    func adopt(_ threads: PacketThreads) {
        state.withLock { state in
            state.socket = threads.sender()
            state.strangers = threads.strangers()
        }
    }

    /// Lets go of the port, and of the threads that were adopted.
    func release() {
        state.withLock { state in
            state.socket = nil
            state.strangers = []
        }
    }

    /// What we are from now on; the previous key still answers.
    func setIdentities(_ keys: [PacketKey]) {
        let identities = keys.map { LinkIdentity($0) }
        guard let current = identities.first else { return }
        let previous = identities.count > 1 ? identities[1] : nil
        state.withLock { $0.desk.setIdentity(current, previous: previous) }
    }

    /// Register or channels have changed: who may call, and with whom a link is kept.
    func update(_ world: World) {
        let now = MonotonicClock.nanos()
        let paid = Set(world.channels.values.map(\.peer))
        let (partners, others) = world.nodes.split { paid.contains($0.chainAddress) }
        state.withLock { state in
            let list = (partners + others).map { peer($0, state.socket) }
            let left = state.desk.setPeers(list, nowNanos: now)
            if left > 0 {
                logger.log(.warning, "links.peers: \(left) registered nodes find no room")
            }
            let wanted = Set(partners.map(\.keyID))
            for keyID in wanted.subtracting(state.partners) {
                state.desk.wants(keyID: keyID, nowNanos: now)
            }
            state.partners = wanted
        }
    }

    private func peer(_ node: NodeRow, _ socket: borrowing DatagramSocket?) -> LinkPeer {
        var peer = LinkPeer(node)
        if asksPath, let address = peer.address { peer.pathBytes = socket?.pathBytes(to: address) }
        return peer
    }

    /// Neighbours with a session.
    var sessions: Int { state.withLock { $0.sessions } }

    /// Handshakes refused here, by reason.
    var drops: [Drop: UInt64] { state.withLock { $0.drops } }

    /// What another program's link house needs to keep the links up; after `run` has returned.
    func handOver() throws(DatapathError) -> Handed {
        Handed(descriptor: try memory.share(), hash: hash)
    }

    // MARK: thread

    /// Asks `run` to return.
    func stop() { isStopping.store(true, ordering: .releasing) }

    /// Works until `stop`.
    func run() {
        while !isStopping.load(ordering: .acquiring) {
            state.withLock { turn(&$0) }
            pause(millis: 1)
        }
    }

    private func turn(_ state: inout State) {
        let now = MonotonicClock.nanos()
        for index in state.strangers.indices {
            while let (datagram, source) = state.strangers[index].next() {
                let from = DatagramAddress(source)
                let verdict = state.desk.take(datagram, from: from, nowNanos: now)
                if verdict != .none { state.drops[verdict, default: 0] += 1 }
                state.strangers[index].release()
            }
        }
        let wants = table.wants()
        if wants != state.wantsSeen || now >= state.desk.dueNanos {
            state.wantsSeen = wants
            state.desk.tick(nowNanos: now)
        }
        send(&state, now)
        if table.losesTrains, !state.saidTrainsLost {
            state.saidTrainsLost = true
            logger.log(
                .warning,
                "links.segmentation is off: trains get lost on the way, single datagrams do not"
            )
        }
        while let event = state.desk.nextEvent() { note(event, &state) }
    }

    private func send(_ state: inout State, _ now: UInt64) {
        while let out = state.desk.next(into: room.region, nowNanos: now) {
            let datagram = room.region.slice(0, out.byteCount)
            if state.socket?.send(datagram, to: out.address) != true { state.unsent += 1 }
        }
    }

    private func note(_ event: LinkEvent, _ state: inout State) {
        switch event {
        case .up(let keyID, let address, let bytes):
            state.sessions += 1
            let place = address.map { " at \(Endpoint($0).described)" } ?? ""
            logger.log(.info, "link to key-\(keyID)\(place) is up, datagrams of \(bytes) bytes")
        case .down(let keyID):
            state.sessions -= 1
            logger.log(.info, "link to key-\(keyID) is down")
        case .unreachable(let keyID, let address):
            let place = address.map { " at \(Endpoint($0).described)" } ?? ""
            logger.log(.warning, "key-\(keyID)\(place) does not answer")
        case .mismatch(let address, let keyID):
            let name = keyID.map { "key-\($0)" } ?? "somebody"
            logger.log(
                .warning,
                "linkPrologue: \(name) at \(Endpoint(address).described) speaks another protocol "
                    + "version, packet or payload size, ticket selector or domain, or is not who "
                    + "it says"
            )
        }
    }
}

extension LinkPeer {
    /// A node of the register.
    fileprivate init(_ node: NodeRow) {
        let isPlaced = node.endpoint.family != 0
        self.init(
            keyID: node.keyID,
            packetKey: node.packetKey,
            address: isPlaced ? DatagramAddress(node.endpoint) : nil
        )
    }
}

extension DatagramAddress {
    init(_ endpoint: Endpoint) {
        self.init(family: endpoint.family, address: endpoint.address, port: endpoint.port)
    }
}

extension Endpoint {
    init(_ address: DatagramAddress) {
        self.init(family: address.family, address: address.address, port: address.port)
    }
}

extension Array {
    /// Those that are so, and the others.
    fileprivate func split(_ isSo: (Element) -> Bool) -> ([Element], [Element]) {
        var (these, others): ([Element], [Element]) = ([], [])
        for element in self {
            if isSo(element) { these.append(element) } else { others.append(element) }
        }
        return (these, others)
    }
}
