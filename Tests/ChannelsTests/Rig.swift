// swift-format-ignore-file: NeverForceUnwrap
import Bytes
import Chain
import Crypto
import Exchange
import LedgerSupport
import Store
import Synchronization
import TestSupport
import Tickets

@testable import Channels

/// A store in memory that can be told to crash: everything committed stays, the rest is gone.
final class MemoryStore: ClaimStore {
    private let state = Mutex(State())

    private struct State {
        var stored = StoredState()
        var claims: [ClaimKey: Claim] = [:]
        var commits = 0
        var failAt = Int.max
    }

    var commits: Int { state.withLock { $0.commits } }
    func fail(atCommit commit: Int) { state.withLock { $0.failAt = commit } }

    func load() throws(StoreError) -> StoredState {
        state.withLock { state in
            var found = state.stored
            found.openClaims = state.claims.values.filter { !$0.state.isFinal }
                .sorted { $0.key < $1.key }
            return found
        }
    }

    func commit(_ changes: [Change]) throws(StoreError) {
        let failed = state.withLock { state in
            guard !changes.isEmpty else { return false }
            if state.commits >= state.failAt { return true }
            state.commits += 1
            for change in changes { Self.apply(change, &state) }
            return false
        }
        if failed { throw .diskFull(folder: "memory") }
    }

    func claims(after: ClaimKey?, limit: Int) throws(StoreError) -> [Claim] {
        state.withLock { state in
            Array(
                state.claims.values.filter { after == nil || after! < $0.key }
                    .sorted { $0.key < $1.key }.prefix(limit)
            )
        }
    }

    private static func apply(_ change: Change, _ state: inout State) {
        switch change {
        case .claim(let claim): state.claims[claim.key] = claim
        case .prune(let below):
            state.claims = state.claims.filter {
                !($0.value.state.isFinal && $0.key < below
                    && $0.key.channelID == below.channelID)
            }
        case .incoming(let new):
            state.stored.incoming.removeAll { $0.channelID == new.channelID }
            state.stored.incoming.append(new)
        case .outgoing(let new):
            state.stored.outgoing.removeAll { $0.channelID == new.channelID }
            state.stored.outgoing.append(new)
        case .totals(let id, let totals): state.stored.totals[id] = totals
        case .submission(let submission): state.stored.submissions.append(submission)
        case .answered(let nonce): state.stored.submissions.removeAll { $0.nonce == nonce }
        case .value(let name, let bytes): state.stored.values[name] = bytes
        }
    }
}

/// A payer, a node and a ledger, all in this thread: the test is the clock and the network.
final class Rig {
    let payer = Player(1)
    let node = Player(2)
    let parameters: LedgerParameters
    let ledger: InProcessLedger
    let store = MemoryStore()
    var policy = ChannelPolicy()
    private let memory = Memory(ChannelBooks.byteCount(slots: 16))
    let books: ChannelBooks
    var control: ChannelControl?
    /// The request that the network carries, if there is one.
    var wire: Submission?
    var lost: Submission?
    var alarms: [Drop] = []
    var faults: [SigningFault] = []
    var failed: [UInt64] = []
    var receipts: [UInt64: Receipt] = [:]
    var nanos: UInt64 = 1_000_000_000
    var followed: UInt64 = 0
    /// Stops the world after so many steps: a crash between any two of them.
    var stepsLeft = Int.max

    struct Crash: Error {}

    init(rule: LuckRule = .commitment) {
        parameters = testParameters(rule: rule, supply: 1 << 60)
        ledger = InProcessLedger(
            parameters,
            genesis: [(payer.address, 1 << 50), (node.address, 1_000)]
        )
        books = ChannelBooks(memory.region, slots: 16)
        policy.retryNanos = 1
    }

    var now: Moment { Moment(nanos: nanos, millis: ledger.millis) }

    /// Starts the node from what its store holds.
    func start() throws {
        wire = nil
        lost = nil
        for slot in 0..<16 { books.clear(UInt32(slot)) }
        let view = try LedgerView(of: ledger)
        followed = view.sequence
        let nonce = try ledger.account(node.address)?.nonce ?? 0
        control = try ChannelControl(
            identity: ChannelIdentity(key: node.chain, parameters: parameters),
            policy: policy,
            stored: try store.load(),
            view: view,
            accountNonce: nonce,
            slotCount: 16,
            now: now
        )
        try finish()
    }

    /// One turn of the node: reduce, journal, durable, effects.
    func turn(_ inputs: [Input] = []) throws {
        var inputs = inputs
        inputs += ((try? ledger.events(since: followed)) ?? []).map { .ledger($0) }
        followed += UInt64(inputs.count { if case .ledger = $0 { true } else { false } })
        control?.reduce(inputs, now: now)
        try finish()
    }

    /// One step of the network: the request goes to the ledger, the answer comes back.
    func network() throws {
        if let lost {
            self.lost = nil
            let nonce = try ledger.account(node.address)?.nonce ?? 0
            var paid: [ClaimKey] = []
            for event in ledger.log(since: lost.sequence) {
                guard case .redeemed(let channel, let index, _) = event.kind else { continue }
                paid.append(
                    ClaimKey(
                        channelID: channel.id,
                        channelEpoch: channel.channelEpoch,
                        index: index
                    )
                )
            }
            try turn([.resynchronised(nonce: nonce, paid: paid)])
            return
        }
        guard let request = wire, let signed = SignedRequest(packed: request.request) else {
            return
        }
        try step()
        guard let receipt = try? ledger.submit(signed) else { return }
        try step()
        wire = nil
        try turn([.receipt(receipt)])
    }

    /// Runs until nothing is left to do.
    func settle(_ rounds: Int = 200) throws {
        for _ in 0..<rounds {
            nanos += 100_000_000
            try turn()
            try network()
        }
    }

    private func step() throws {
        stepsLeft -= 1
        if stepsLeft < 0 { throw Crash() }
    }

    private func finish() throws {
        guard var control else { return }
        let changes = control.journal.changes
        let effects = control.effects
        control.journal = Journal()
        control.effects = []
        self.control = control
        if !changes.isEmpty {
            try step()
            try store.commit(changes)
            try step()
        }
        for rank in 0...5 {
            for effect in effects where effect.rank == rank { perform(effect) }
        }
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .clear(let slot): books.clear(slot)
        case .setNextIndex(let slot, let index): books.setNextIndex(slot, index)
        case .raiseIndexLimit(let slot, let limit): books.raiseIndexLimit(slot, to: limit)
        case .raiseFloor(let slot, let floor): books.raiseFloor(slot, to: floor)
        case .mark(let slot, let index): _ = books.mark(slot, index)
        case .release(let slot, let amount): books.release(slot, amount)
        case .restore(let slot, let amount): books.restore(slot, amount)
        case .stop(let slot, let stopped): books.setStopped(slot, stopped)
        case .submit(let submission): wire = submission
        case .resynchronise(let submission): lost = submission
        case .finished(let id, let receipt): receipts[id] = receipt
        case .unsigned(let id, let fault):
            faults.append(fault)
            if let id { failed.append(id) }
        case .alarm(_, let reason): alarms.append(reason)
        case .publish: break
        }
    }

    // MARK: Doing things

    var channel: Channel { ledger.ledger.channel(from: payer.address, to: node.address) }
    var incoming: Incoming? { control?.incoming[channel.id] }
    var totals: Totals { control?.totals[channel.id] ?? Totals() }
    var reserved: UInt128 { incoming.map { books.reserved($0.slot) } ?? 0 }

    func pay(_ action: LedgerAction) {
        let receipt = ledger.ask(payer.sign(action, parameters.domain))
        precondition(receipt.refusal == nil, "\(receipt)")
    }

    /// A funded channel to which the node has committed.
    func open(_ amount: UInt128 = 1 << 40) throws {
        pay(.fund(destination: node.address, amount: amount))
        if control == nil { try start() }
        for _ in 0..<200 where channel.status != .open {
            try turn()
            try network()
        }
        try turn()
        precondition(channel.status == .open)
    }

    func ticket(
        _ index: UInt64,
        amount: UInt128 = 100,
        _ probability: WinProbability = .always
    ) -> TestTicket {
        TestTicket(
            issuer: payer.chain,
            channel: channel,
            parameters: parameters,
            index: index,
            amount: amount,
            probability: probability
        )
    }

    /// What the packet path does when it accepts a ticket.
    func locked(_ ticket: TestTicket) -> Input {
        let slot = incoming?.slot ?? 0
        _ = books.reserve(slot, ticket.ticket.amount, balance: channel.balance)
        return .locked(slot: slot, index: ticket.ticket.index, atNanos: nanos)
    }

    func unlocked(_ ticket: TestTicket) -> Input {
        .unlocked(
            slot: incoming?.slot ?? 0,
            ticket: ticket.bytes,
            response: ticket.response,
            atNanos: nanos
        )
    }

    func released(_ ticket: TestTicket) -> Input {
        let slot = incoming?.slot ?? 0
        books.release(slot, ticket.ticket.amount)
        return .released(
            slot: slot,
            index: ticket.ticket.index,
            amount: ticket.ticket.amount,
            reason: .noAck
        )
    }

    func claims() throws -> [Claim] { try store.claims(after: nil, limit: .max) }

    func state(_ index: UInt64) throws -> ClaimState? {
        try claims().first { $0.key.index == index }?.state
    }
}

extension InProcessLedger {
    func log(since sequence: UInt64) -> [LedgerEvent] {
        var all: [LedgerEvent] = []
        while let page = try? events(since: sequence + UInt64(all.count)), !page.isEmpty {
            all += page
        }
        return all
    }
}
