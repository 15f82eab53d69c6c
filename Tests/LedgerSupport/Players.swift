// swift-format-ignore-file: NeverForceUnwrap, NeverUseForceTry
package import Bytes
package import Chain
package import Crypto
package import Exchange
package import Tickets
import Synchronization

/// Somebody with keys, for tests.
package final class Player: Sendable {
    package let chain: ChainKey
    package let packet: PacketKey
    private let used = Mutex<UInt64>(0)

    package var address: Address { chain.address }

    /// The same keys for the same number.
    package init(_ number: UInt8) {
        chain = Player.key([UInt8](repeating: number, count: 31) + [1])
        var seed = Bytes32(Array(repeating: number ^ 0xff, count: 32))!
        packet = seed.withRegion { PacketKey(seed: $0) }
    }

    package init(chain: ChainKey) {
        self.chain = chain
        packet = PacketKey.random()
    }

    package static func key(_ secret: [UInt8]) -> ChainKey {
        var scalar = Bytes32(secret)!
        return scalar.withRegion { ChainKey(secret: $0)! }
    }

    /// The next nonce.
    package func next() -> UInt64 {
        used.withLock { used in
            used += 1
            return used
        }
    }

    /// A signed request with the next nonce.
    package func sign(_ action: LedgerAction, _ domain: Bytes32) -> SignedRequest {
        try! SignedRequest(
            LedgerRequest(from: address, nonce: next(), action: action),
            key: chain,
            domain: domain
        )
    }

    /// A signed announcement with the next nonce.
    package func announce(_ endpoint: Endpoint, _ domain: Bytes32, packet: PacketKey? = nil)
        -> SignedRequest
    {
        let nonce = next()
        let action = LedgerAction.announcement(
            key: packet ?? self.packet,
            endpoint: endpoint,
            from: address,
            nonce: nonce,
            domain: domain
        )
        return try! SignedRequest(
            LedgerRequest(from: address, nonce: nonce, action: action),
            key: chain,
            domain: domain
        )
    }
}

/// Everything about one ticket that a test needs.
package struct TestTicket: Sendable {
    package var ticket: Ticket
    package var response: Bytes32

    /// A ticket signed by `issuer` in `channel` as it is now.
    package init(
        issuer: ChainKey,
        channel: Channel,
        parameters: LedgerParameters,
        index: UInt64,
        amount: UInt128,
        probability: WinProbability = .always,
        secret: UInt64? = nil,
        ticketEpoch: UInt32? = nil
    ) {
        var bytes = [UInt8](repeating: 7, count: 32)
        let word = secret ?? (index &* 0x9e37_79b9_7f4a_7c15 &+ 12345)
        for place in 0..<8 { bytes[24 + place] = UInt8(truncatingIfNeeded: word >> (8 * place)) }
        response = Bytes32(bytes)!
        ticket = Ticket(
            counterparty: channel.destination,
            amount: amount,
            index: index,
            channelEpoch: channel.channelEpoch,
            winProbability: probability,
            challenge: Player.key(bytes).address
        )
        let domain = TicketDomain.separator(
            parameters.domain,
            rule: parameters.rule,
            ticketEpoch: ticketEpoch ?? channel.ticketEpoch
        )
        let hash = TicketChecks.hash(
            ticket,
            channelID: channel.id,
            domain: domain,
            selector: parameters.selector
        )
        ticket.signature = issuer.sign(hash: hash)
    }

    package var bytes: [UInt8] { ticket.bytes.array }

    package func redemption(_ proof: [UInt8]) -> Redemption {
        Redemption(ticket: ticket.bytes, response: response, proof: proof)
    }
}

/// The chain of openings of a player for a channel.
package func openings(
    _ player: ChainKey,
    _ parameters: LedgerParameters,
    _ channelID: Bytes32,
    channelEpoch: UInt32,
    ticketEpoch: UInt32
) -> CommitmentChain {
    CommitmentChain.build(
        seed: CommitmentChain.seed(
            key: player,
            chainID: parameters.chainID,
            contract: parameters.contract,
            channelID: channelID,
            channelEpoch: channelEpoch,
            ticketEpoch: ticketEpoch
        )
    )
}

/// A ledger in this process, with a clock of its own and faults on demand.
package final class InProcessLedger: SettlementLayer {
    private let state: Mutex<State>

    private struct State {
        var ledger: Ledger
        var events: [LedgerEvent] = []
        var millis: UInt64 = 1_000_000
        var swallowAnswers = 0
        var isDown = false
    }

    package init(_ parameters: LedgerParameters, genesis: [(Address, UInt128)]) {
        state = Mutex(State(ledger: Ledger(parameters, genesis: genesis)!))
    }

    package var ledger: Ledger { state.withLock { $0.ledger } }
    package var millis: UInt64 { state.withLock { $0.millis } }
    package func advance(millis: UInt64) { state.withLock { $0.millis += millis } }
    /// The next requests are carried out, but their answers are lost.
    package func swallow(_ count: Int) { state.withLock { $0.swallowAnswers = count } }
    package func setDown(_ down: Bool) { state.withLock { $0.isDown = down } }

    /// Carries out a request now.
    @discardableResult
    package func ask(_ request: SignedRequest) -> Receipt {
        state.withLock { state in
            let outcome = state.ledger.apply(request, nowMillis: state.millis)
            state.events += outcome.events
            precondition(state.ledger.total == state.ledger.parameters.supply, "money moved")
            return outcome.receipt
        }
    }

    package func status() throws(ChainError) -> LedgerStatus {
        try check()
        return state.withLock { state in
            LedgerStatus(
                parameters: state.ledger.parameters,
                sequence: state.ledger.sequence,
                millis: state.millis,
                treasury: state.ledger.treasury,
                total: state.ledger.total,
                accountCount: state.ledger.accounts.count,
                channelCount: state.ledger.channels.count,
                nodeCount: state.ledger.nodes.count
            )
        }
    }

    package func account(_ address: Address) throws(ChainError) -> Account? {
        try check()
        return ledger.accounts[address]
    }

    package func accounts(after: Address?) throws(ChainError) -> [Account] {
        try check()
        return ledger.accounts.values.filter { after == nil || after! < $0.address }
            .sorted { $0.address < $1.address }
    }

    package func channels(after: Bytes32?) throws(ChainError) -> [Channel] {
        try check()
        return ledger.channels.values.filter { after == nil || after! < $0.id }
            .sorted { $0.id < $1.id }
    }

    package func nodes(after: UInt32) throws(ChainError) -> [RegisteredNode] {
        try check()
        return Array(ledger.nodes.dropFirst(Int(after)))
    }

    package func events(since sequence: UInt64) throws(ChainError) -> [LedgerEvent] {
        try check()
        return state.withLock { Array($0.events.dropFirst(Int(sequence)).prefix(256)) }
    }

    package func submit(_ request: SignedRequest) throws(ChainError) -> Receipt {
        try check()
        let receipt = ask(request)
        let isLost = state.withLock { state in
            guard state.swallowAnswers > 0 else { return false }
            state.swallowAnswers -= 1
            return true
        }
        if isLost { throw .unreachable("answer lost") }
        return receipt
    }

    private func check() throws(ChainError) {
        if state.withLock({ $0.isDown }) { throw .unreachable("down") }
    }
}

/// Parameters that tests start from.
package func testParameters(
    rule: LuckRule = .commitment,
    notice: UInt64 = 60_000,
    supply: UInt128 = 1_000_000
) -> LedgerParameters {
    LedgerParameters(
        chainID: 31_337,
        contract: Address(Array(repeating: 0xdd, count: 20))!,
        rule: rule,
        noticeMillis: notice,
        keyGraceMillis: 10_000,
        grant: 1_000,
        supply: supply
    )
}
