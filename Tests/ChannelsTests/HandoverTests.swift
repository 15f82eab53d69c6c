// swift-format-ignore-file: NeverForceUnwrap
import Bytes
import Chain
import Exchange
import LedgerSupport
import Store
import TestSupport
import Testing
import Tickets

@testable import Channels

/// A runtime goes on with the books of another one, turn by turn.
@Suite struct HandoverTests {
    private let payer = Player(1)
    private let earner = Player(2)
    private let third = Player(3)
    private let parameters = testParameters()
    private let memory = Memory(ChannelBooks.byteCount(slots: 16))
    private var books: ChannelBooks { ChannelBooks(memory.region, slots: 16) }

    private func makeLedger() -> InProcessLedger {
        let ledger = InProcessLedger(
            parameters,
            genesis: [payer, earner, third].map { ($0.address, 50_000) }
        )
        ledger.ask(payer.sign(.fund(destination: earner.address, amount: 9_000), parameters.domain))
        ledger.ask(earner.sign(.fund(destination: third.address, amount: 9_000), parameters.domain))
        return ledger
    }

    private func make(
        _ ledger: InProcessLedger,
        _ store: any ClaimStore,
        _ handover: ChannelHandover? = nil,
        lost: [Bytes32: UInt64] = [:]
    ) throws -> ChannelRuntime {
        var setup = ChannelRuntime.Setup(
            key: earner.chain,
            store: store,
            layer: ledger,
            books: books
        )
        setup.pollMillis = 1
        setup.handover = handover
        setup.lost = lost
        return try ChannelRuntime(setup, now: now)
    }

    private var now: Moment { Moment(nanos: 1_000_000_000, millis: 1_000_000) }

    private func unlocked(_ index: UInt64, _ info: ChannelInfo) -> Report {
        let ticket = TestTicket(
            issuer: payer.chain,
            channel: info.channel,
            parameters: parameters,
            index: index,
            amount: 10
        )
        return .unlocked(
            channel: info.slot,
            ticket: ticket.bytes,
            response: ticket.response,
            atNanos: now.nanos
        )
    }

    /// Commits to the channel that pays us, as the node would.
    private func open(_ runtime: ChannelRuntime) throws {
        runtime.start()
        for _ in 0..<2_000 {
            try runtime.turn([], now: now)
            if runtime.channels.allSatisfy({ $0.channel.status != .waitingForCommitment }) { break }
            pause(millis: 1)
        }
        runtime.stop()
    }

    @Test func `books go on: no index is skipped, no reservation changes, no ticket is lost`()
        throws
    {
        let ledger = makeLedger()
        let store = MemoryStore()
        let first = try make(ledger, store)
        try open(first)
        let infos = first.channels
        let incoming = try #require(infos.first { $0.direction == .incoming })
        let outgoing = try #require(infos.first { $0.direction == .outgoing })
        // Five tickets are held, two of them are unlocked; seven of ours were issued.
        for index: UInt64 in 0..<5 {
            #expect(books.reserve(incoming.slot, 10, balance: 9_000))
            #expect(books.mark(incoming.slot, index) == .none)
        }
        for _ in 0..<7 { _ = books.takeIndex(outgoing.slot) }
        try first.turn([unlocked(2, incoming), unlocked(4, incoming)], now: now)
        first.abandon()
        let before = memory.region.array

        // The settlement layer does not answer.
        ledger.setDown(true)
        let record = first.handover.record
        let handover = try #require(ChannelHandover(record: record))
        #expect(handover.channelID(incoming.slot) == incoming.channel.id)
        #expect(handover.channelID(15) == nil)
        let second = try make(ledger, store, handover)
        #expect(memory.region.array == before)
        #expect(second.channels.map(\.slot) == infos.map(\.slot))
        #expect(second.world.channels.keys.sorted() == first.world.channels.keys.sorted())
        #expect(second.world.own == first.world.own)
        #expect(books.takeIndex(outgoing.slot) == 7)
        #expect(books.reserved(incoming.slot) == 50)

        // The others are unlocked here, and all are drawn in order.
        try second.turn([0, 1, 3].map { unlocked($0, incoming) }, now: now)
        ledger.setDown(false)
        second.start()
        for _ in 0..<4_000 where second.totals.redeemed < 5 {
            try second.turn([], now: now)
            pause(millis: 1)
        }
        second.stop()
        #expect(second.totals.redeemed == 5 && second.totals.received == 5)
        #expect(second.totals.voidCount == 0 && books.reserved(incoming.slot) == 0)
    }

    @Test func `tickets that were lost on the way are counted for good`() throws {
        let ledger = makeLedger()
        let store = MemoryStore()
        let first = try make(ledger, store)
        try open(first)
        let incoming = try #require(first.channels.first { $0.direction == .incoming })
        memory.region.fill(0)
        _ = try make(ledger, store, lost: [incoming.channel.id: 12])
        memory.region.fill(0)
        let third = try make(ledger, store)
        #expect(third.totals.void == [.upgradeLost: 12] && third.totals.received == 12)
    }

    @Test func `what is no handover is none`() throws {
        let first = try make(makeLedger(), MemoryStore())
        let record = first.handover.record
        #expect(ChannelHandover(record: record)?.record.count == record.count)
        for cut in 0..<record.count {
            #expect(ChannelHandover(record: Array(record[..<cut])) == nil)
        }
        #expect(ChannelHandover(record: record + [0]) == nil)
        // A slot that is another channel's.
        var handover = first.handover
        try #require(!handover.incoming.isEmpty)
        handover.incoming[0].slot ^= 1
        #expect(ChannelHandover(record: handover.record) == nil)
    }
}
