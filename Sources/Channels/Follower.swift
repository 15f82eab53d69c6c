internal import Chain
internal import Store
internal import Synchronization

/// The thread that talks to the settlement layer: sends requests until they are answered, and asks
/// for events.
final class Follower: Sendable {
    private let layer: any SettlementLayer
    private let pollMillis: UInt64
    private let state: Mutex<State>

    private struct State {
        var sequence: UInt64
        var submission: Submission?
        var lost: Submission?
        var failure: ChainError?
        var isStopping = false
        var isRunning = false
    }

    init(layer: any SettlementLayer, sequence: UInt64, pollMillis: UInt64) {
        self.layer = layer
        self.pollMillis = pollMillis
        state = Mutex(State(sequence: sequence))
    }

    var failure: ChainError? { state.withLock { $0.failure } }

    /// Sends a request, again and again, until there is a receipt.
    func submit(_ submission: Submission) { state.withLock { $0.submission = submission } }

    /// Finds out what became of a request whose nonce was used by another.
    func resynchronise(_ submission: Submission) { state.withLock { $0.lost = submission } }

    /// Ends when it comes to it.
    func abandon() { state.withLock { $0.isStopping = true } }

    func stop() {
        abandon()
        for _ in 0..<200 {
            if state.withLock({ !$0.isRunning }) { return }
            pause(millis: 5)
        }
    }

    /// Works until `stop`. `deliver` answers false when its reader is behind.
    func run(_ deliver: ([Input]) -> Bool) {
        state.withLock { $0.isRunning = true }
        var wait: UInt64 = 0
        while !state.withLock({ $0.isStopping }) {
            var keepsUp = true
            do throws(ChainError) {
                let worked = try work(deliver)
                if worked || wait == 0 {
                    keepsUp = try follow(deliver)
                    wait = pollMillis
                }
                state.withLock { $0.failure = nil }
            } catch {
                state.withLock { $0.failure = error }
                wait = max(pollMillis, 200)
            }
            pause(millis: keepsUp ? 2 : 20)
            wait -= min(wait, 2)
        }
        state.withLock { $0.isRunning = false }
    }

    /// One request, if there is one.
    private func work(_ deliver: ([Input]) -> Bool) throws(ChainError) -> Bool {
        let (submission, lost) = state.withLock { ($0.submission, $0.lost) }
        if let lost {
            let answer = try investigate(lost)
            _ = try follow(deliver)
            state.withLock { $0.lost = nil }
            _ = deliver([answer])
            return true
        }
        guard let submission, let signed = SignedRequest(packed: submission.request) else {
            return false
        }
        let receipt = try layer.submit(signed)
        state.withLock { state in
            if state.submission == submission { state.submission = nil }
        }
        _ = deliver([.receipt(receipt)])
        return true
    }

    private func follow(_ deliver: ([Input]) -> Bool) throws(ChainError) -> Bool {
        while true {
            let known = state.withLock { $0.sequence }
            let events = try layer.events(since: known)
            guard let last = events.last else { return true }
            state.withLock { $0.sequence = last.sequence }
            guard deliver(events.map { .ledger($0) }) else { return false }
        }
    }

    private func investigate(_ submission: Submission) throws(ChainError) -> Input {
        let signed = SignedRequest(packed: submission.request)
        guard let request = signed.flatMap({ LedgerRequest(bytes: $0.bytes) }) else {
            throw .protocolViolation("our own request")
        }
        let nonce = try layer.account(request.from)?.nonce ?? 0
        var paid: [ClaimKey] = []
        var sequence = submission.sequence
        while true {
            let events = try layer.events(since: sequence)
            guard let last = events.last else { break }
            for event in events {
                guard case .redeemed(let channel, let index, _) = event.kind else { continue }
                paid.append(
                    ClaimKey(
                        channelID: channel.id,
                        channelEpoch: channel.channelEpoch,
                        index: index
                    )
                )
            }
            sequence = last.sequence
        }
        return .resynchronised(nonce: nonce, paid: paid)
    }
}
