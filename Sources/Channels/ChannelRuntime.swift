public import Bytes
public import Chain
public import Crypto
public import Exchange
public import Store
internal import Synchronization

/// A node's channels, running: reports become stored claims, claims become money.
///
/// The node's control thread calls `turn` about every millisecond; everything that came in since is
/// one group commit. A second thread talks to the settlement layer, so that it never delays the
/// first. Listings and operations may come from any thread.
public final class ChannelRuntime: Sendable {
    /// What a runtime is made of.
    public struct Setup: Sendable {
        /// The node's chain key.
        public var key: ChainKey
        /// Its rules.
        public var policy: ChannelPolicy
        /// Its store, used by nobody else.
        public var store: any ClaimStore
        /// Where it settles.
        public var layer: any SettlementLayer
        /// The books that it shares with the workers; zeroed, or those of the handover.
        public var books: ChannelBooks
        /// From the program that used the books before this one. The settlement layer need not
        /// answer then.
        public var handover: ChannelHandover?
        /// Tickets that were lost on the way from another program, by channel.
        public var lost: [Bytes32: UInt64] = [:]
        /// How often it asks for news.
        public var pollMillis: UInt64 = 50
        /// Called on the control thread when register or channels have changed.
        public var onWorld: @Sendable (World) -> Void = { _ in }
        /// Called on the control thread when a channel stops taking tickets.
        public var onAlarm: @Sendable (_ channelID: Bytes32, Drop) -> Void = { _, _ in }
        /// Called on the control thread when a request was not sent, because our own signature of
        /// it did not verify.
        public var onFault: @Sendable (SigningFault) -> Void = { _ in }

        /// A runtime's parts.
        public init(
            key: ChainKey,
            policy: ChannelPolicy = ChannelPolicy(),
            store: any ClaimStore,
            layer: any SettlementLayer,
            books: ChannelBooks
        ) {
            self.key = key
            self.policy = policy
            self.store = store
            self.layer = layer
            self.books = books
        }
    }

    /// Who we are on the settlement layer.
    public let identity: ChannelIdentity
    private let setup: Setup
    private let state: Mutex<State>
    private let inbox = Mutex<[Input]>([])
    private let results = Mutex(Results())
    private let follower: Follower

    private struct State {
        var control: ChannelControl
        var nextPublishMillis: UInt64?
    }

    private struct Results {
        var nextID: UInt64 = 1
        var receipts: [UInt64: Result<Receipt, ChannelError>] = [:]
        var isStopping = false
    }

    /// Reads the store and the settlement layer, makes the start durable, restores the books.
    public init(_ setup: Setup, now: Moment) throws(ChannelError) {
        self.setup = setup
        let stored: StoredState
        do throws(StoreError) { stored = try setup.store.load() } catch { throw .store(error) }
        let world: (parameters: LedgerParameters, view: LedgerView, nonce: UInt64)
        do throws(ChainError) {
            world = try Self.world(setup)
        } catch {
            throw .chain(error)
        }
        identity = ChannelIdentity(key: setup.key, parameters: world.parameters)
        let control = try ChannelControl(
            identity: identity,
            policy: setup.policy,
            stored: stored,
            view: world.view,
            accountNonce: world.nonce,
            slotCount: setup.books.slotCount,
            handover: setup.handover,
            lost: setup.lost,
            now: now
        )
        state = Mutex(State(control: control))
        follower = Follower(
            layer: setup.layer,
            sequence: world.view.sequence,
            pollMillis: setup.pollMillis
        )
        do throws(StoreError) {
            try state.withLock { (state) throws(StoreError) in try self.finish(&state, now) }
        } catch {
            throw .store(error)
        }
    }

    /// What the settlement layer says, or what it had said to another program. Our nonce is stored,
    /// too.
    private static func world(
        _ setup: Setup
    ) throws(ChainError) -> (parameters: LedgerParameters, view: LedgerView, nonce: UInt64) {
        if let handover = setup.handover { return (handover.parameters, handover.view, 0) }
        return try world(of: setup.layer, setup.key.address)
    }

    private static func world(
        of layer: some SettlementLayer,
        _ address: Address
    ) throws(ChainError) -> (parameters: LedgerParameters, view: LedgerView, nonce: UInt64) {
        (
            try layer.status().parameters, try LedgerView(of: layer),
            try layer.account(address)?.nonce ?? 0
        )
    }

    /// Starts to talk to the settlement layer.
    public func start() {
        let follower = follower
        let started = BackgroundThread.start { [weak self] in
            follower.run { inputs in
                guard let self else { return false }
                return self.inbox.withLock { inbox in
                    inbox += inputs
                    return inbox.count < 8_192
                }
            }
        }
        precondition(started, "no thread left")
    }

    /// Stops talking to the settlement layer; answers when the thread is done or a second has
    /// passed. What was sent and not answered is sent again at the next start.
    public func stop() {
        results.withLock { $0.isStopping = true }
        follower.stop()
    }

    /// Stops talking to the settlement layer, and waits for nothing: another program goes on.
    public func abandon() {
        results.withLock { $0.isStopping = true }
        follower.abandon()
    }

    /// What another program needs to go on; after the last `turn`.
    public var handover: ChannelHandover { state.withLock { $0.control.handover } }

    /// What the settlement layer last failed with; nil while it answers.
    public var chainFailure: ChainError? { follower.failure }

    // MARK: The control thread

    /// Takes reports in, makes what they change durable, then lets it show. One thread calls this.
    ///
    /// After an error the node must stop: what counts is what the next start finds on disk.
    ///
    /// - Parameter isLast: another program goes on: reports are kept, and nothing else is begun.
    ///   What the settlement layer has said meanwhile it will say again.
    public func turn(
        _ reports: [Report],
        now: Moment,
        isLast: Bool = false
    ) throws(StoreError) {
        var inputs = reports.compactMap(Self.input)
        if !isLast {
            inbox.withLock { inbox in
                inputs += inbox
                inbox.removeAll()
            }
        }
        try state.withLock { (state) throws(StoreError) in
            for channel in state.control.outgoing.values {
                let next = setup.books.nextIndex(channel.slot)
                inputs.append(.used(slot: channel.slot, nextIndex: next))
            }
            state.control.reduce(inputs, now: now, isLast: isLast)
            if let due = state.nextPublishMillis, due <= now.millis {
                state.control.effects.append(.publish)
            }
            try self.finish(&state, now)
        }
    }

    /// Journal, then durable, then effects.
    private func finish(_ state: inout State, _ now: Moment) throws(StoreError) {
        let changes = state.control.journal.changes
        state.control.journal = Journal()
        let effects = state.control.effects
        state.control.effects = []
        try setup.store.commit(changes)
        var published = false
        for rank in 0...5 {
            for effect in effects where effect.rank == rank {
                if case .publish = effect {
                    if published { continue }
                    published = true
                    state.nextPublishMillis = state.control.nextChangeMillis
                    setup.onWorld(state.control.world)
                } else {
                    perform(effect)
                }
            }
        }
    }

    private func perform(_ effect: Effect) {
        let books = setup.books
        switch effect {
        case .clear(let slot): books.clear(slot)
        case .setNextIndex(let slot, let index): books.setNextIndex(slot, index)
        case .raiseIndexLimit(let slot, let limit): books.raiseIndexLimit(slot, to: limit)
        case .raiseFloor(let slot, let floor): books.raiseFloor(slot, to: floor)
        case .mark(let slot, let index): _ = books.mark(slot, index)
        case .release(let slot, let amount): books.release(slot, amount)
        case .restore(let slot, let amount): books.restore(slot, amount)
        case .stop(let slot, let stopped): books.setStopped(slot, stopped)
        case .submit(let submission): follower.submit(submission)
        case .resynchronise(let submission): follower.resynchronise(submission)
        case .finished(let id, let receipt):
            results.withLock { $0.receipts[id] = .success(receipt) }
        case .unsigned(let id, let fault):
            if let id { results.withLock { $0.receipts[id] = .failure(.signing(fault)) } }
            setup.onFault(fault)
        case .alarm(let id, let reason): setup.onAlarm(id, reason)
        case .publish: break
        }
    }

    private static func input(_ report: Report) -> Input? {
        switch report {
        case .locked(let channel, let index, let at):
            .locked(slot: channel, index: index, atNanos: at)
        case .unlocked(let channel, let ticket, let response, let at):
            .unlocked(slot: channel, ticket: ticket, response: response, atNanos: at)
        case .released(let channel, let index, let amount, let reason):
            .released(slot: channel, index: index, amount: amount, reason: reason)
        case .delivery, .acknowledged, .signer, .verifier: nil
        }
    }

    // MARK: Any thread

    /// Has an operation carried out by the settlement layer and waits for its receipt.
    @discardableResult
    public func perform(
        _ operation: Operation,
        timeoutMillis: UInt64 = 10_000
    ) throws(ChannelError) -> Receipt {
        let id = results.withLock { results in
            results.nextID += 1
            return results.nextID
        }
        inbox.withLock { $0.append(.operation(id: id, operation)) }
        var waited: UInt64 = 0
        while waited < timeoutMillis {
            let (receipt, stopping) = results.withLock { results in
                (results.receipts.removeValue(forKey: id), results.isStopping)
            }
            if let receipt = try receipt?.get() {
                if let refusal = receipt.refusal { throw .refused(refusal) }
                return receipt
            }
            if stopping { throw .stopping }
            pause(millis: 2)
            waited += 2
        }
        throw .timeout
    }

    /// Redeems all winners there are now, whatever they are worth; does not wait.
    public func redeemAll() { inbox.withLock { $0.append(.redeemAll) } }

    /// Our channels.
    public var channels: [ChannelInfo] { state.withLock { $0.control.infos } }

    /// Register and channels as the packet path has them.
    public var world: World { state.withLock { $0.control.world } }

    /// Stored claims in key order.
    public func tickets(after: ClaimKey?, limit: Int) throws(StoreError) -> [Claim] {
        try setup.store.claims(after: after, limit: limit)
    }

    /// Counts over all channels.
    public var totals: Totals {
        state.withLock { state in
            state.control.totals.values.reduce(into: Totals()) { $0.add($1) }
        }
    }

    /// Tickets that are not final, and whether a request is on its way: all zero when there is
    /// nothing left to do.
    public var unfinished: (unlocked: Int, unsettled: Int, inFlight: Bool) {
        state.withLock { state in
            let claims = state.control.incoming.values.flatMap { $0.open.values }
            let unlocked = claims.count { $0.state == .unlocked }
            let busy = state.control.inFlight != nil || !state.control.queue.isEmpty
            return (unlocked, claims.count - unlocked, busy)
        }
    }
}
