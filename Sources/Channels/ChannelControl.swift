internal import Bytes
internal import Chain
internal import Crypto
internal import Exchange
internal import Store
internal import Tickets

/// A channel that pays us. A class, because a copy of the open claims at every ticket would be
/// dear.
final class Incoming {
    var state: IncomingState
    let slot: UInt32
    var pending: PendingQueue
    /// Claims not final, by index.
    var open: [UInt64: Claim] = [:]
    /// Indices won and not submitted, ascending.
    var won: [UInt64] = []
    /// The domain its tickets are hashed with.
    var domain: Bytes32
    /// Built when an opening is first needed.
    var chain: CommitmentChain?
    /// The next chain, for a commitment about to be made, and its ticket epoch.
    var nextChain: (ticketEpoch: UInt32, chain: CommitmentChain)?
    /// A commitment seen on the ledger whose place on our chain is not known yet.
    var toLocate: Bytes32?
    var stopped = Drop.none
    /// Tickets below this index may have been written under an older ticket epoch.
    var staleBelow: UInt64 = 0

    init(state: IncomingState, slot: UInt32, domain: Bytes32) {
        self.state = state
        self.slot = slot
        self.domain = domain
        pending = PendingQueue(floor: state.floor)
    }

    /// The opening that the next winner will use; nil if none is at hand.
    var opening: Bytes32? { chain?.opening(nextPosition: Int(state.nextPosition)) }

    /// True if there is nothing to be done until something comes in.
    var isIdle: Bool {
        pending.count == 0 && won.isEmpty && nextChain == nil && toLocate == nil
            && chain?.isBuilt != false
    }
}

/// A channel through which we pay.
struct Outgoing {
    var state: OutgoingState
    var slot: UInt32
    /// False until indices were reserved after a start.
    var isStarted = false
}

/// A request on its way.
struct InFlight {
    var submission: Submission
    var operation: UInt64?
}

/// The control plane's reducer: reports, events and answers in; changes to store and effects out.
///
/// It reads no clock and writes no file. Whoever runs it makes `journal` durable first and performs
/// `effects`, in order, afterwards.
struct ChannelControl {
    let identity: ChannelIdentity
    var policy: ChannelPolicy
    var view: LedgerView
    var now = Moment(nanos: 0, millis: 0)

    var incoming: [Bytes32: Incoming] = [:]
    /// Incoming channels that a turn must look at.
    var awake: Set<Bytes32> = []
    var outgoing: [Bytes32: Outgoing] = [:]
    var slots: SlotTable
    var totals: [Bytes32: Totals] = [:]
    var nonce: UInt64 = 0
    var queue: [(id: UInt64, operation: Operation)] = []
    var inFlight: InFlight?
    var retryAtNanos: UInt64 = 0
    var redeemAll = false
    /// No request goes out before these events were seen: they tell what the last one did.
    var actAfterSequence: UInt64 = 0
    /// Claims of a past channel epoch whose redemption is on its way.
    var orphans: [ClaimKey: Claim] = [:]

    /// Makes the signatures of requests; a test hands out spoilt ones.
    var signer: @Sendable (ChainKey, Bytes32) -> Bytes64 = { $0.sign(hash: $1) }

    let desk = LuckDesk()
    var journal = Journal()
    var effects: [Effect] = []

    var address: Address { identity.key.address }

    /// Most losers drawn in one turn: bounds the time until the group commit.
    static let drawsMax = 512
    /// A winner takes as long as so many losers.
    static let winnerCost = 20
    /// A draw by VRF takes as long as so many by commitments.
    static let vrfCost = 8
    /// Hashes of chains in building done in one turn.
    static let hashesMax = 4_000

    /// Takes up where the store left off. The changes and effects of that are in `journal`,
    /// `effects`.
    ///
    /// - Parameters:
    ///   - handover: from whoever used the books before; nil for new books.
    ///   - lost: tickets that were lost on the way here.
    init(
        identity: ChannelIdentity,
        policy: ChannelPolicy,
        stored: StoredState,
        view: LedgerView,
        accountNonce: UInt64,
        slotCount: Int,
        handover: ChannelHandover? = nil,
        lost: [Bytes32: UInt64] = [:],
        now: Moment
    ) throws(ChannelError) {
        self.identity = identity
        self.policy = policy
        self.view = view
        self.now = now
        slots = SlotTable(count: slotCount, used: handover?.slots ?? [])
        actAfterSequence = handover?.actAfterSequence ?? 0
        totals = stored.totals
        var reader = RecordReader(stored.values["nonce"] ?? [])
        nonce = max(reader.integer() ?? 0, accountNonce)
        try bind(stored)
        if let last = stored.submissions.max(by: { $0.nonce < $1.nonce }) {
            inFlight = InFlight(submission: last, operation: nil)
            effects.append(.submit(last))
        }
        restore(stored, handover)
        lose(lost)
        for channel in view.channels.values.sorted(by: { $0.id < $1.id }) { apply(channel) }
        effects.append(.publish)
    }

    /// One turn: everything that came in, then what follows from it and from the time.
    ///
    /// - Parameter isLast: what came in is to be kept, and nothing else is begun: a draw may take
    ///   long, and another program goes on.
    mutating func reduce(_ inputs: [Input], now: Moment, isLast: Bool = false) {
        self.now = now
        for input in inputs { take(input) }
        if !isLast { proceed() }
        for (id, counts) in totals where journal.counted.contains(id) {
            journal.totals[id] = counts
        }
        journal.counted.removeAll()
    }

    private mutating func proceed() {
        let ids = awake.sorted()
        buildChains(ids)
        var budget = Self.drawsMax
        for id in ids where budget > 0 { draw(id, &budget) }
        act(ids)
        for id in ids where incoming[id]?.isIdle != false { awake.remove(id) }
    }

    private mutating func take(_ input: Input) {
        switch input {
        case .locked(let slot, let index, let at): lock(slot, index, at)
        case .unlocked(let slot, let ticket, let response, let at):
            unlock(slot, ticket, response, at)
        case .released(let slot, let index, _, let reason): release(slot, index, reason)
        case .used(let slot, let next): reserveIndices(slot, next)
        case .ledger(let event): follow(event)
        case .receipt(let receipt): answer(receipt)
        case .resynchronised(let nonce, let paid): resynchronise(nonce, paid)
        case .operation(let id, let operation): queue.append((id, operation))
        case .redeemAll: redeemAll = true
        }
    }

    /// A store belongs to one key on one ledger for good.
    private mutating func bind(_ stored: StoredState) throws(ChannelError) {
        let mine = identity.domain.array + address.array
        guard let bound = stored.values["ledger"] else {
            journal.values["ledger"] = mine
            return
        }
        guard bound == mine else { throw .otherLedger }
    }

    private mutating func restore(_ stored: StoredState, _ handover: ChannelHandover?) {
        let (paying, paid) = (handover?.incoming ?? [], handover?.outgoing ?? [])
        for state in stored.incoming {
            if let place = ChannelHandover.find(state.channelID, in: paying) {
                resume(state, place)
            } else if let slot = slots.take(state.channelID) {
                addIncoming(state, slot)
            }
        }
        for claim in stored.openClaims { restore(claim) }
        for state in stored.outgoing {
            if let place = ChannelHandover.find(state.channelID, in: paid) {
                outgoing[state.channelID] = Outgoing(
                    state: state,
                    slot: place.slot,
                    isStarted: true
                )
            } else if let slot = slots.take(state.channelID) {
                outgoing[state.channelID] = Outgoing(state: state, slot: slot)
                effects.append(.clear(slot: slot))
            }
        }
        for id in incoming.keys.sorted() {
            // Books in use know what is held.
            guard let channel = incoming[id], ChannelHandover.find(id, in: paying) == nil else {
                continue
            }
            let held = channel.open.values.reduce(UInt128(0)) { $0 + $1.amount }
            if held > 0 { effects.append(.restore(slot: channel.slot, amount: held)) }
            // The packet path must not take another ticket with an index that is stored.
            for index in channel.open.keys.sorted() where index >= channel.state.floor {
                effects.append(.mark(slot: channel.slot, index))
            }
        }
    }

    private mutating func restore(_ claim: Claim) {
        guard let channel = incoming[claim.key.channelID],
            channel.state.channelEpoch == claim.key.channelEpoch
        else {
            if inFlight?.submission.claims.contains(claim.key) == true {
                orphans[claim.key] = claim
                return
            }
            return void(claim, .channelEpoch, slot: nil)
        }
        channel.open[claim.key.index] = claim
        switch claim.state {
        case .unlocked:
            // Others below it may still be unlocked, late ones too.
            let deadline = now.nanos + policy.ackTTLNanos + policy.slackNanos
            _ = channel.pending.unlock(claim.key.index, now: now.nanos, deadline: deadline)
        case .won: channel.won.append(claim.key.index)
        case .submitted: restoreSubmitted(claim, channel)
        case .locked, .lost, .settled, .void: break
        }
    }

    /// Without the request that it went out with, a claim is a winner that waits.
    private mutating func restoreSubmitted(_ claim: Claim, _ channel: Incoming) {
        guard inFlight?.submission.claims.contains(claim.key) != true else { return }
        var claim = claim
        claim.state = .won
        claim.nonce = 0
        channel.open[claim.key.index] = claim
        channel.won.append(claim.key.index)
        journal.claims[claim.key] = claim
    }

    mutating func addIncoming(_ state: IncomingState, _ slot: UInt32, isNew: Bool = true) {
        incoming[state.channelID] = Incoming(
            state: state,
            slot: slot,
            domain: domain(ticketEpoch: state.ticketEpoch)
        )
        awake.insert(state.channelID)
        if isNew { effects.append(.clear(slot: slot)) }
        effects.append(.raiseFloor(slot: slot, state.floor))
    }

    func domain(ticketEpoch: UInt32) -> Bytes32 {
        TicketDomain.separator(
            identity.domain,
            rule: identity.parameters.rule,
            ticketEpoch: ticketEpoch
        )
    }
}

/// What the turn changed; the last word on each record counts.
struct Journal {
    var claims: [ClaimKey: Claim] = [:]
    var incoming: [Bytes32: IncomingState] = [:]
    var outgoing: [Bytes32: OutgoingState] = [:]
    var totals: [Bytes32: Totals] = [:]
    var values: [String: [UInt8]] = [:]
    var submissions: [Submission] = []
    var answered: [UInt64] = []
    var prunes: [ClaimKey] = []
    /// Channels whose totals changed.
    var counted: Set<Bytes32> = []

    /// The changes, in an order that does not depend on hashing.
    var changes: [Change] {
        var all: [Change] = claims.values.sorted { $0.key < $1.key }.map { .claim($0) }
        all += incoming.values.sorted { $0.channelID < $1.channelID }.map { .incoming($0) }
        all += outgoing.values.sorted { $0.channelID < $1.channelID }.map { .outgoing($0) }
        all += totals.sorted { $0.key < $1.key }.map { .totals(channelID: $0.key, $0.value) }
        all += answered.map { .answered(nonce: $0) }
        all += submissions.map { .submission($0) }
        all += values.sorted { $0.key < $1.key }.map { .value(name: $0.key, $0.value) }
        all += prunes.map { .prune($0) }
        return all
    }
}

/// Which channel has which slot of the books. A slot is not used again while the process lives, so
/// a late report never speaks of another channel.
struct SlotTable {
    private(set) var channels: [Bytes32?]
    private var next = 0

    /// Room for `count`; the first are those that are used already.
    init(count: Int, used: [Bytes32?] = []) {
        channels = Array(repeating: nil, count: count)
        next = min(used.count, count)
        for slot in 0..<next { channels[slot] = used[slot] }
    }

    /// A slot for the channel; nil if there is none left.
    mutating func take(_ channelID: Bytes32) -> UInt32? {
        guard next < channels.count else { return nil }
        channels[next] = channelID
        next += 1
        return UInt32(next - 1)
    }

    /// The channel of a slot.
    func channel(_ slot: UInt32) -> Bytes32? {
        Int(slot) < channels.count ? channels[Int(slot)] : nil
    }
}
