// swift-format-ignore-file: NeverForceUnwrap
import Bytes
import Chain
import Exchange
import Foundation
import LedgerSupport
import Store
import Synchronization
import TestSupport
import Testing
import Tickets

@testable import Channels

/// The runtime with its threads, over a real store; the ledger is in this process.
@Suite struct RuntimeTests {
    /// A node whose control thread turns until the object goes.
    private final class Node: Sendable {
        let runtime: ChannelRuntime
        let memory = Memory(ChannelBooks.byteCount(slots: 16))
        let worlds = Mutex<[World]>([])
        private let reports = Mutex<[Report]>([])
        private let isRunning = Mutex(true)
        private let done = DispatchSemaphore(value: 0)

        init(_ player: Player, _ store: any ClaimStore, _ ledger: InProcessLedger) throws {
            let books = ChannelBooks(memory.region, slots: 16)
            var setup = ChannelRuntime.Setup(
                key: player.chain,
                store: store,
                layer: ledger,
                books: books
            )
            setup.pollMillis = 5
            let sink = Sink()
            setup.onWorld = { world in sink.take(world) }
            runtime = try ChannelRuntime(setup, now: Node.now())
            sink.node = self
            runtime.start()
            Thread.detachNewThread { [self] in
                while isRunning.withLock({ $0 }) {
                    let batch = reports.withLock { reports in
                        defer { reports = [] }
                        return reports
                    }
                    try? runtime.turn(batch, now: Node.now())
                    usleep(1_000)
                }
                done.signal()
            }
        }

        func report(_ new: [Report]) { reports.withLock { $0 += new } }

        func stop() {
            runtime.stop()
            isRunning.withLock { $0 = false }
            done.wait()
        }

        static func now() -> Moment {
            Moment(nanos: DispatchTime.now().uptimeNanoseconds, millis: 1_000_000)
        }
    }

    private final class Sink: @unchecked Sendable {
        weak var node: Node?
        func take(_ world: World) { node?.worlds.withLock { $0.append(world) } }
    }

    /// Waits for something that will happen; fails after a long time.
    private func eventually(_ what: String, _ condition: () throws -> Bool) rethrows {
        for _ in 0..<2_000 {
            if try condition() { return }
            usleep(5_000)
        }
        Issue.record("never: \(what)")
    }

    @Test func `two nodes open a channel, one pays, the other is paid`() throws {
        let (payer, earner) = (Player(1), Player(2))
        let parameters = testParameters()
        let ledger = InProcessLedger(
            parameters,
            genesis: [(payer.address, 50_000), (earner.address, 100)]
        )
        let folders = [TemporaryFolder("payer"), TemporaryFolder("earner")]
        let stores = try folders.map { try NodeStore(folder: $0.path, freeBytesMin: 0) }
        let paying = try Node(payer, stores[0], ledger)
        let earning = try Node(earner, stores[1], ledger)
        defer {
            paying.stop()
            earning.stop()
        }
        let home = Endpoint(ipv4: 127, 0, 0, 1, port: 4_001)
        let there = Endpoint(ipv4: 127, 0, 0, 1, port: 4_002)
        #expect(try paying.runtime.perform(.announce(payer.packet, home)).keyID > 0)
        #expect(try earning.runtime.perform(.announce(earner.packet, there)).keyID > 0)
        try paying.runtime.perform(.fund(destination: earner.address, amount: 10_000))
        #expect(throws: ChannelError.refused(.balance)) {
            try paying.runtime.perform(.fund(destination: earner.address, amount: 10_000_000))
        }
        eventually("the channel is open on both sides") {
            [paying, earning].allSatisfy {
                $0.runtime.channels.first?.channel.status == .open
            }
        }
        let world = paying.runtime.world
        #expect(world.nodes.map(\.endpoint) == [there])
        #expect(world.own.map(\.endpoint) == [home])

        try earn(paying, earning, ledger)
    }

    /// Forty winning tickets arrive, and are paid.
    private func earn(_ paying: Node, _ earning: Node, _ ledger: InProcessLedger) throws {
        let (payer, earner) = (Player(1), Player(2))
        let parameters = ledger.ledger.parameters
        let info = try #require(earning.runtime.channels.first)
        let books = ChannelBooks(earning.memory.region, slots: 16)
        for index in 0..<40 {
            let ticket = TestTicket(
                issuer: payer.chain,
                channel: info.channel,
                parameters: parameters,
                index: UInt64(index),
                amount: 10
            )
            #expect(books.reserve(info.slot, 10, balance: info.channel.balance))
            let now = Node.now().nanos
            earning.report([
                .locked(channel: info.slot, index: UInt64(index), atNanos: now),
                .unlocked(
                    channel: info.slot,
                    ticket: ticket.bytes,
                    response: ticket.response,
                    atNanos: now
                ),
            ])
        }
        eventually("all tickets are paid") { earning.runtime.totals.redeemed == 40 }
        eventually("nothing is left to do") {
            let left = earning.runtime.unfinished
            return left == (0, 0, false)
        }
        #expect(books.reserved(info.slot) == 0)
        #expect(ledger.ledger.accounts[earner.address]?.balance == 500)
        #expect(ledger.ledger.total == parameters.supply)
        #expect(try earning.runtime.tickets(after: nil, limit: 100).count == 40)
        eventually("the payer sees the new balance") {
            paying.runtime.channels.first?.channel.balance == 9_600
        }
    }

    @Test func `while the ledger is away tickets are stored, afterwards they are paid`() throws {
        let (payer, earner) = (Player(1), Player(2))
        let parameters = testParameters()
        let ledger = InProcessLedger(
            parameters,
            genesis: [(payer.address, 50_000), (earner.address, 100)]
        )
        ledger.ask(payer.sign(.fund(destination: earner.address, amount: 900), parameters.domain))
        let node = try Node(earner, MemoryStore(), ledger)
        defer { node.stop() }
        eventually("the channel is open") {
            node.runtime.channels.first?.channel.status == .open
        }
        ledger.setDown(true)
        let info = try #require(node.runtime.channels.first)
        let ticket = TestTicket(
            issuer: payer.chain,
            channel: info.channel,
            parameters: parameters,
            index: 0,
            amount: 10
        )
        node.report([
            .unlocked(
                channel: info.slot,
                ticket: ticket.bytes,
                response: ticket.response,
                atNanos: Node.now().nanos
            )
        ])
        eventually("the ticket is won") { node.runtime.totals.won == 1 }
        eventually("the failure is known") { node.runtime.chainFailure != nil }
        #expect(throws: ChannelError.timeout) {
            try node.runtime.perform(.transfer(to: payer.address, amount: 1), timeoutMillis: 50)
        }
        ledger.setDown(false)
        eventually("the ticket is paid") { node.runtime.totals.redeemed == 1 }
        eventually("the failure is over") { node.runtime.chainFailure == nil }
    }

    @Test func `a start without a ledger is one clear error`() throws {
        let ledger = InProcessLedger(testParameters(), genesis: [])
        ledger.setDown(true)
        let memory = Memory(ChannelBooks.byteCount(slots: 2))
        let setup = ChannelRuntime.Setup(
            key: Player(1).chain,
            store: MemoryStore(),
            layer: ledger,
            books: ChannelBooks(memory.region, slots: 2)
        )
        #expect(throws: ChannelError.chain(.unreachable("down"))) {
            _ = try ChannelRuntime(setup, now: Moment(nanos: 1, millis: 1))
        }
    }
}
