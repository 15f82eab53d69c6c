import Bytes
import Exchange
import TestSupport
import Testing

@testable import Relay

@Suite struct LedgerTests {
    /// A worker's counters and what is in it now, driven packet by packet.
    private struct World {
        let counters: Counters
        var queued = 0
        var held = 0
        private let memory: Memory

        init() {
            memory = Memory(Counters.byteCount)
            counters = Counters(memory.region)
        }

        var ledger: PacketLedger { PacketLedger(counters, queued: queued, held: held) }

        static let entering = Drop.allCases.filter { DropKind($0) == .entering }
        static let leaving = Drop.allCases.filter { DropKind($0) == .leaving }

        /// One of the ways a packet can go on.
        mutating func step(_ seed: inout SeededGenerator) {
            switch Int.random(in: 0..<12, using: &seed) {
            case 0..<4:
                counters.count(Bool.random(using: &seed) ? .packetsReceived : .spilledIn)
                queued += 1
            case 4 where queued > 0:
                queued -= 1
                counters.count(.forwarded)
                held += 1
            case 5 where queued > 0:
                queued -= 1
                counters.count(
                    [Counter.delivered, .ackPacketsIn, .spilledOut].randomElement(
                        using: &seed
                    ) ?? .delivered
                )
            case 6 where queued > 0:
                queued -= 1
                counters.count(World.entering.randomElement(using: &seed) ?? .replay)
            case 7:
                counters.count(Bool.random(using: &seed) ? .made : .ackPacketsOut)
                held += 1
            case 8 where held > 0:
                held -= 1
                counters.count(.packetsOut)
            case 9 where held > 0:
                held -= 1
                let reason = World.leaving.randomElement(using: &seed) ?? .noForward
                // What the kernel did not take had been handed to it.
                if reason == .sendFailed { counters.count(.packetsOut) }
                counters.count(reason)
            default:
                // What is no packet changes nothing.
                for drop in Drop.allCases where DropKind(drop) == .payment { counters.count(drop) }
                counters.count(.openerUnknown)
                counters.count(.acksIn, by: 3)
            }
        }
    }

    @Test func `nothing is missing, whatever becomes of packets`() {
        var seed = SeededGenerator("ledger")
        var worlds = [World(), World(), World()]
        for _ in 0..<2_000 {
            worlds[Int.random(in: 0..<3, using: &seed)].step(&seed)
            #expect(worlds.allSatisfy { $0.ledger.isBalanced })
        }
        let sum = worlds.map(\.ledger).reduce(PacketLedger(), +)
        #expect(sum.isBalanced && sum.missing == 0 && sum.came > 500)
        #expect(sum.came == sum.went + sum.dropped + sum.inFlight)
        #expect(sum.inFlight == UInt64(worlds.reduce(0) { $0 + $1.queued + $1.held }))
        #expect(sum.spilling == Int64(sum.spilledOut) - Int64(sum.spilledIn))
    }

    @Test func `a packet without a name is missing, in its half`() {
        var seed = SeededGenerator("ledger leak")
        var world = World()
        for _ in 0..<200 { world.step(&seed) }
        world.counters.count(.packetsReceived)
        #expect(world.ledger.missingEntering == 1 && world.ledger.missingLeaving == 0)
        world.counters.count(.duplicate)
        #expect(world.ledger.isBalanced)
        world.counters.count(.made)
        #expect(world.ledger.missingLeaving == 1 && world.ledger.missing == 1)
        // Counted twice shows as well, and the halves do not make up for each other.
        world.counters.count(.replay)
        #expect(world.ledger.missingEntering == -1 && world.ledger.missing == 0)
        #expect(!world.ledger.isBalanced)
        #expect("\(world.ledger)".hasSuffix("missing -1 entering, 1 leaving"))
    }

    @Test func `each number counts for one term`() {
        let terms: [(Counter, WritableKeyPath<PacketLedger, UInt64>)] = [
            (.packetsReceived, \.received), (.made, \.made), (.ackPacketsOut, \.ackPacketsMade),
            (.spilledIn, \.spilledIn), (.spilledOut, \.spilledOut), (.forwarded, \.forwarded),
            (.delivered, \.delivered), (.ackPacketsIn, \.ackPacketsUsed), (.packetsOut, \.sent),
        ]
        for counter in Counter.allCases {
            var expected = PacketLedger()
            if let term = terms.first(where: { $0.0 == counter }) { expected[keyPath: term.1] = 9 }
            #expect(PacketLedger([counter: 9], [:], queued: 0, held: 0) == expected)
        }
        for drop in Drop.allCases {
            let ledger = PacketLedger([.packetsOut: 5], [drop: 5], queued: 2, held: 3)
            #expect(ledger.sent == (drop == .sendFailed ? 0 : 5))
            let kind = DropKind(drop)
            #expect(ledger.droppedEntering == (kind == .entering ? 5 : 0))
            #expect(ledger.droppedLeaving == (kind == .leaving ? 5 : 0))
            #expect(ledger.inFlight == 5 && (kind == .none) == (drop == .none))
        }
    }

    @Test func `reasons are what they are`() {
        let kinds: [(Drop, DropKind)] = [
            (.queueFull, .entering), (.queueAge, .entering), (.duplicate, .entering),
            (.mixerFull, .entering), (.ackSize, .entering), (.payloadTagged, .entering),
            (.ticketSelfCheck, .entering), (.noForward, .leaving), (.sendFailed, .leaving),
            (.noAck, .payment), (.ackUnknown, .payment), (.openerUnknown, .message),
        ]
        for (drop, kind) in kinds { #expect(DropKind(drop) == kind) }
    }
}
