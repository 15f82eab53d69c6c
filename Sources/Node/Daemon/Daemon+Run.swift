public import Bytes
internal import Chain
internal import Channels
internal import Crypto
internal import Exchange
internal import Gateway
internal import LocalSocket
internal import Relay
internal import Synchronization
internal import Tickets

/// What a node does beside relaying.
public struct EntryOptions: Sendable {
    /// Local UDP address for clients.
    public var listen: HostPort?
    /// Target behind the exit, as on its list.
    public var target: String
    /// Chain address of the exit.
    public var exit: Address
    /// Relays on each path.
    public var hops: Int
    /// One message to send instead of serving clients.
    public var message: [UInt8]?
    /// True when there is nothing left to do.
    public var isDone: @Sendable () -> Bool = { false }

    /// A tunnel.
    public init(listen: HostPort?, target: String, exit: Address, hops: Int) {
        self.listen = listen
        self.target = target
        self.exit = exit
        self.hops = hops
    }
}

extension Daemon {
    /// Runs until a signal, a failure, or the end of what `entry` is for. Returns the exit code.
    ///
    /// - Parameter program: what an upgrade starts instead; nil if this node cannot be upgraded.
    public func run(
        signals: Signals,
        program: RunningProgram? = nil,
        entry: EntryOptions? = nil,
        answer: (@Sendable ([UInt8]?) -> Void)? = nil
    ) throws(StartError) -> Int32 {
        self.program.withLock { $0 = program }
        let money = self.money
        let links = self.links
        let moneyThread = ControlThread("money") { money.run() }
        let linkThread = ControlThread("links") { links.run() }
        runtime.start()
        defer {
            links.stop()
            linkThread.join()
        }
        do throws(StartError) {
            let isInherited = threads != nil
            if !isInherited {
                try announce()
                try startThreads()
            }
            let gatewayStop = StopFlag()
            let gatewayThread = try startGateway(entry, gatewayStop, answer)
            let admin = try makeAdmin()
            let adminThread = ControlThread("admin") { admin.run() }
            writeLine("dray: \(keys.chainKey.address.hex) listens on UDP \(listen.described)")
            if isInherited { announceAgain() }
            var end = keepHouse(signals, entry)
            admin.stop()
            adminThread.join()
            if case .upgrade = end { trace.end(.upgrade) } else { trace.end(.stop) }
            if case .upgrade(let path) = end {
                let control = Control(
                    money: moneyThread,
                    links: linkThread,
                    gateway: gatewayThread,
                    gatewayStop: gatewayStop
                )
                logger.log(.error, "upgrade: \(becomeProgram(path, control))")
                end = .failure
            }
            stop(gatewayStop, gatewayThread)
            money.stop()
            moneyThread.join()
            runtime.stop()
            if let failure = money.failure { throw .failed("\(failure)") }
            logger.log(.info, "stopped")
            return end == .failure ? 1 : 0
        } catch {
            money.stop()
            moneyThread.join()
            runtime.stop()
            throw error
        }
    }

    // MARK: start

    /// The register knows us already, but perhaps at another address.
    private func announceAgain() {
        do throws(StartError) {
            try announce()
        } catch {
            logger.log(.warning, "\(error)")
        }
    }

    /// Sees to it that the register has our newest packet key and our address.
    func announce() throws(StartError) {
        guard let key = keys.newest else { throw .wrong("no packet key") }
        let place = configuration.node.announce ?? configuration.node.listen
        guard let endpoint = Endpoint(place) else { throw .wrong("no address to announce") }
        let known = press.world.own.first { $0.packetKey == key.publicKey }
        if known?.endpoint != endpoint {
            do throws(ChannelError) {
                try runtime.perform(.announce(key, endpoint))
            } catch {
                throw StartError(error)
            }
        }
        for _ in 0..<500 {
            if press.world.own.contains(where: { $0.packetKey == key.publicKey }) { return }
            pause(millis: 10)
        }
        throw .failed("the ledger took our announcement but does not show it")
    }

    /// Starts packet threads for the keys that are registered now.
    func startThreads() throws(StartError) {
        guard let adopted = press.adopt() else {
            throw .failed("the ledger does not know our packet key")
        }
        var plan = PacketThreads.Plan(
            configuration: configuration,
            geometry: geometry,
            books: books,
            listen: listen,
            links: links
        )
        plan.handovers = takeSockets()
        let threads = try PacketThreads(
            plan,
            identities: adopted.identities,
            snapshot: adopted.snapshot
        )
        press.publish(to: threads.snapshots)
        threadsBox.withLock { $0 = threads }
        links.adopt(threads)
        links.setIdentities(keys.packetKeys(of: adopted.identities))
        connect(threads)
        try threads.start()
    }

    /// Sockets of another program that could not be gone on with otherwise; once.
    private func takeSockets() -> [WorkerHandover] {
        guard let resumption, threads == nil else { return [] }
        return resumption.takeSockets(configuration.workers.count)
    }

    /// Control hears of these packet threads, and commands them.
    func connect(_ threads: PacketThreads) {
        money.adopt(threads)
        links.update(press.world)
        let tickets = configuration.tickets
        outlet.connect(
            Postbox(
                geometry: geometry,
                identity: runtime.identity,
                books: books,
                price: tickets.price,
                winProbability: WinProbability(tickets.winProbability) ?? .always,
                nonces: tickets.nonces,
                checksTickets: tickets.selfCheck,
                world: press.world,
                command: { threads.command($0, $1) }
            )
        )
    }

    private func startGateway(
        _ entry: EntryOptions?,
        _ flag: StopFlag,
        _ answer: (@Sendable ([UInt8]?) -> Void)?
    ) throws(StartError) -> ControlThread {
        var listener: UDPSocket?
        if let place = entry?.listen, let endpoint = Endpoint(place) {
            do throws(SystemError) {
                listener = try UDPSocket(bind: endpoint)
            } catch {
                throw .failed(error.description)
            }
        }
        let local = listener
        let targets = configuration.exit.targets
        return ControlThread("gateway") { [self] in
            var loop = GatewayLoop(
                desk: gateway,
                out: outlet,
                geometry: geometry,
                ourselves: keys.chainKey.address,
                setup: entry.map(entrySetup),
                listener: local,
                limits: exitLimits,
                deliverLocally: answer
            )
            loop.setTargets(targets)
            loop.run(stopped: { flag.isUp }, message: entry?.message)
        }
    }

    private func entrySetup(_ entry: EntryOptions) -> EntrySetup {
        var limits = Limits()
        limits.flows = configuration.entry.flows
        limits.surbsPerSession = configuration.entry.replyBlocks * 2
        limits.idleFlowNanos = UInt64(configuration.entry.idleSeconds) * 1_000_000_000
        return EntrySetup(
            target: entry.target,
            exit: entry.exit,
            hops: entry.hops,
            limits: limits
        )
    }

    private var exitLimits: Limits {
        var limits = Limits()
        limits.flows = configuration.exit.flows
        limits.flowsPerSession = configuration.exit.flowsPerSender
        limits.packetsPerSecond = configuration.exit.flowRate
        limits.idleFlowNanos = UInt64(configuration.exit.idleSeconds) * 1_000_000_000
        return limits
    }

    private func makeAdmin() throws(StartError) -> LineServer {
        let desk = AdminDesk(logger: logger) { [self] request throws(AdminError) in
            try serve(request)
        }
        do throws(LocalSocketError) {
            return try LineServer(path: configuration.node.adminSocket) { desk.answer($0) }
        } catch {
            throw .failed(error.description)
        }
    }

    // MARK: stop

    /// No new datagrams; the mixer empties; acknowledgements are waited for; then the gateway ends.
    private func stop(_ flag: StopFlag, _ thread: ControlThread) {
        logger.log(.info, "stopping")
        gateway.quiesce()
        threads?.stop(seconds: configuration.node.stopWaitSeconds)
        syncReplay()
        flag.raise()
        thread.join()
    }
}

/// Up once and for all.
final class StopFlag: Sendable {
    private let state = Atomic<Bool>(false)

    var isUp: Bool { state.load(ordering: .acquiring) }

    func raise() { state.store(true, ordering: .releasing) }
}
