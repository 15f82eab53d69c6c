internal import Bytes
internal import Crypto
internal import Exchange
internal import Gateway
internal import Sphinx

/// The gateway's thread: datagrams in, packets out, and the way back.
struct GatewayLoop {
    private static let tickNanos: UInt64 = 250_000_000
    /// Datagrams taken from one socket in a row.
    private static let burst = 64

    private let desk: GatewayDesk
    private let out: Outlet
    private let factory: PacketFactory
    private let geometry: Geometry
    private let ourselves: Address
    private let setup: EntrySetup?
    private let listener: UDPSocket?
    private let deliverLocally: (@Sendable ([UInt8]?) -> Void)?

    private var entry: Entry?
    private var exit: Exit
    private var targets: [String: Endpoint] = [:]
    private var flows: [Exit.FlowID: UDPSocket] = [:]
    private var finder: PathFinder?
    private var generator = SystemRandomNumberGenerator()
    private var nextTick: UInt64 = 0
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private var isStopping = false

    /// A client that is no socket: the one who sends a single message.
    static let localClient = Endpoint(ipv4: 127, 0, 0, 1, port: 1)

    init(
        desk: GatewayDesk,
        out: Outlet,
        geometry: Geometry,
        ourselves: Address,
        setup: EntrySetup?,
        listener: UDPSocket?,
        limits: Limits,
        deliverLocally: (@Sendable ([UInt8]?) -> Void)? = nil
    ) {
        self.desk = desk
        self.out = out
        self.geometry = geometry
        self.ourselves = ourselves
        self.setup = setup
        self.listener = listener
        self.deliverLocally = deliverLocally
        exit = Exit(geometry: geometry, targets: [], limits: limits)
        factory = PacketFactory(geometry: geometry)
        entry = setup.map {
            Entry(geometry: geometry, target: $0.target, limits: $0.limits)
        }
    }

    /// Works until `stopped` answers true.
    mutating func run(stopped: () -> Bool, message: [UInt8]? = nil) {
        var message = message
        while !stopped() {
            var files = [desk.file]
            if let listener, !isStopping { files.append(listener.file) }
            let open = Array(flows)
            files += open.map(\.value.file)
            let ready = UDPSocket.wait(files, millis: 50)
            let now = MonotonicClock.nanos()
            if ready[0] { takeNews(now) }
            if let text = message, hasWholePath {
                message = nil
                take(text, from: Self.localClient, now)
            }
            let hasListener = listener != nil && !isStopping
            if hasListener, ready.count > 1, ready[1] { takeFromClients(now) }
            for (place, flow) in open.enumerated()
            where ready[place + (hasListener ? 2 : 1)] {
                takeFromTarget(flow.key, flow.value, now)
            }
            if now >= nextTick { tick(now) }
        }
        // What came last.
        takeNews(MonotonicClock.nanos())
    }

    private mutating func takeNews(_ now: UInt64) {
        let news = desk.news()
        if let finder = news.finder { self.finder = finder }
        if let targets = news.targets { setTargets(targets) }
        isStopping = news.isStopping
        for delivery in news.deliveries { take(delivery, now) }
    }

    private mutating func tick(_ now: UInt64) {
        nextTick = now + Self.tickNanos
        perform(exit.tick(now: now), now)
        if entry != nil { perform(entry?.tick(now: now) ?? [], now) }
        let (entryCounts, exitCounts) = (entry?.counters, exit.counters)
        desk.show {
            $0.entry = entryCounts
            $0.exit = exitCounts
        }
    }

    /// Resolves the exit's targets and closes flows to those that left the list.
    mutating func setTargets(_ places: [HostPort]) {
        targets = [:]
        for place in places { targets[place.description] = Resolver.resolve(place) }
        perform(
            exit.reload(targets: Set(places.map(\.description))),
            MonotonicClock.nanos()
        )
    }

    // MARK: - From sockets

    private mutating func takeFromClients(_ now: UInt64) {
        for _ in 0..<Self.burst {
            guard let (bytes, client) = listener?.receive(&buffer) else { return }
            take(bytes, from: client, now)
        }
    }

    private mutating func take(_ bytes: [UInt8], from client: Endpoint, _ now: UInt64) {
        guard hasPath else {
            desk.show { $0.noPath += 1 }
            return
        }
        guard let fresh = Pseudonym(Random.bytes(Geometry.pseudonymBytes)) else { return }
        perform(entry?.datagram(from: client, bytes, now: now, fresh: fresh) ?? [], now)
    }

    private mutating func takeFromTarget(_ id: Exit.FlowID, _ socket: UDPSocket, _ now: UInt64) {
        for _ in 0..<Self.burst {
            guard let (bytes, _) = socket.receive(&buffer) else { return }
            perform(exit.answer(id, bytes, now: now), now)
        }
    }

    // MARK: - From the mixnet

    private mutating func take(_ delivery: Delivery, _ now: UInt64) {
        var opener: ReplyOpener?
        if delivery.isReply { opener = entry?.opener(for: delivery.senderID, now: now) }
        let inbound = factory.read(delivery) { _ in opener }
        if inbound.isToBeAcknowledged { out.acknowledge(delivery) }
        switch inbound.content {
        case .message(let pseudonym, let surbs, let text):
            perform(exit.message(from: pseudonym, surbs: surbs, text: text, now: now), now)
        case .reply(let pseudonym, let signal, let text):
            let actions = entry?.reply(to: pseudonym, signal: signal, text: text, now: now)
            perform(actions ?? [], now)
        case .refused(let reason): drop(reason)
        }
    }

    private func drop(_ reason: Drop) { desk.show { $0.drops[reason, default: 0] += 1 } }

    // MARK: - What is to be done

    private mutating func perform(_ actions: [Entry.Action], _ now: UInt64) {
        for action in actions {
            switch action {
            case .send(let outgoing): send(outgoing, now)
            case .deliver(let client, let bytes):
                if client == Self.localClient, let deliverLocally {
                    deliverLocally(bytes)
                } else {
                    listener?.send(bytes, to: client)
                }
            case .refused: deliverLocally?(nil)
            }
        }
    }

    private mutating func perform(_ actions: [Exit.Action], _ now: UInt64) {
        for action in actions {
            switch action {
            case .datagram(let id, let target, let bytes): send(bytes, to: target, id, now)
            case .close(let id): flows[id] = nil
            case .reply(let surb, let signal, let text):
                do {
                    try out.post(
                        try factory.reply(
                            surb: surb.bytes,
                            senderID: surb.senderID,
                            signal: signal,
                            text: text
                        )
                    )
                } catch {
                    unposted(error)
                }
            }
        }
    }

    private mutating func send(
        _ bytes: [UInt8],
        to target: String,
        _ id: Exit.FlowID,
        _ now: UInt64
    ) {
        if flows[id] == nil, let endpoint = targets[target] {
            flows[id] = try? UDPSocket(connect: endpoint)
        }
        guard let socket = flows[id] else { return perform(exit.unresolved(id, now: now), now) }
        socket.send(bytes)
    }

    private var hasPath: Bool {
        guard let finder, let setup else { return false }
        return finder.node(setup.exit) != nil && finder.node(ourselves) != nil
    }

    /// True if a message and its answer would find their way.
    private var hasWholePath: Bool {
        guard hasPath, let finder, let setup else { return false }
        var generator = SystemRandomNumberGenerator()
        let out = finder.relays(
            from: ourselves,
            to: setup.exit,
            hops: setup.hops,
            using: &generator
        )
        let back = finder.relays(
            from: setup.exit,
            to: ourselves,
            hops: setup.hops,
            using: &generator
        )
        return out != nil && back != nil
    }

    private mutating func send(_ outgoing: Entry.Outgoing, _ now: UInt64) {
        guard let finder, let setup,
            let forward = finder.path(
                from: ourselves,
                to: setup.exit,
                hops: setup.hops,
                using: &generator
            )
        else { return desk.show { $0.noPath += 1 } }
        var returns: [PathNodes] = []
        for _ in 0..<outgoing.surbCount {
            guard
                let path = finder.path(
                    from: setup.exit,
                    to: ourselves,
                    hops: setup.hops,
                    using: &generator
                )
            else { return desk.show { $0.noPath += 1 } }
            returns.append(path)
        }
        let request = PacketFactory.Request(
            pseudonym: outgoing.pseudonym,
            forward: forward,
            returns: returns,
            text: outgoing.text
        )
        do {
            let made = try factory.message(request) { Random.bytes($0) }
            entry?.sent(made.openers, now: now)
            try out.post(made)
        } catch {
            unposted(error)
        }
    }

    private func unposted(_ error: any Error) {
        desk.show { counts in
            counts.unposted += 1
            if case .selfCheck? = error as? Postbox.Fault {
                counts.drops[.ticketSelfCheck, default: 0] += 1
            }
        }
    }
}
