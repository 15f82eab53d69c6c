import Bytes
import Datapath
import Exchange
import Link
import TestSupport
import Testing

@testable import Relay

/// What a worker tells whoever records it.
@Suite struct TapTests {
    private struct Told: Equatable {
        var keyID: UInt32
        var isOutgoing: Bool
        var kind: UInt8
        var size: Int
        var kept: [UInt8]
    }

    /// Three stations in a row on a clock of their own, with links up.
    private func crowd(_ name: String, rate: Int = 0) throws -> LinkCrowd {
        try network(name, rate: rate).crowd
    }

    private func network(
        _ name: String,
        rate: Int = 0
    ) throws -> (network: SimulatedNetwork, crowd: LinkCrowd) {
        let network = try SimulatedNetwork(seed: 1)
        network.wire.waits = false
        network.wire.delayNanos = 2_000_000
        let crowd = try LinkCrowd(name, count: 3, in: network) { $0.constantRate = rate }
        crowd.each = { network.advance(nanos: 1_000_000) }
        crowd[0].wants(crowd[1])
        crowd[1].wants(crowd[2])
        let isUp = crowd.turn { crowd.areUp([(0, 1), (1, 2)]) }
        #expect(isUp)
        return (network, crowd)
    }

    private func begin(_ crowd: LinkCrowd, _ index: Int, keeping bytes: Int) {
        let station = crowd[index].station
        station.tap.begin(keeping: bytes)
        station.worker.turn()
        let isObeyed = station.tap.isObeyed
        #expect(isObeyed)
    }

    private func drain(_ crowd: LinkCrowd, _ index: Int) -> [Told] {
        let station = crowd[index].station
        var all: [Told] = []
        var nanos: UInt64 = 0
        while let record = station.tap.next() {
            #expect(record.nanos >= nanos)
            nanos = record.nanos
            all.append(
                Told(
                    keyID: record.keyID,
                    isOutgoing: record.isOutgoing,
                    kind: record.kind,
                    size: record.size,
                    kept: record.kept.array
                )
            )
            station.tap.release()
        }
        return all
    }

    private func send(_ crowd: LinkCrowd, _ count: Int) {
        let delivered = crowd[2].delivered + count
        for _ in 0..<count { crowd.send([1, 2]) }
        let all = crowd.turn {
            crowd[2].delivered == delivered && crowd[1].unlocked == crowd[2].delivered
        }
        #expect(all)
    }

    /// What the tap must have told, as counters have it.
    private func counts(_ crowd: LinkCrowd, _ index: Int) -> [[UInt64]] {
        let counters = crowd[index].counters
        let own: [[Counter]] = [
            [.datagramsIn, .bytesIn], [.datagramsOut, .bytesOut], [.packetsReceived],
            [.packetsOut], [.acksIn], [.acksOut], [.pingsIn], [.pongsOut], [.pongsIn],
        ]
        return own.map { $0.map { counters.value($0) } }
    }

    private func counts(_ told: [Told]) -> [[UInt64]] {
        func some(_ kind: UInt8, _ isOutgoing: Bool) -> [Told] {
            told.filter { $0.kind == kind && $0.isOutgoing == isOutgoing }
        }
        func bytes(_ some: [Told]) -> [UInt64] {
            [UInt64(some.count), some.reduce(0) { $0 + UInt64($1.size) }]
        }
        func acks(_ some: [Told]) -> [UInt64] { [some.reduce(0) { $0 + UInt64($1.size / 96) }] }
        func count(_ some: [Told]) -> [UInt64] { [UInt64(some.count)] }
        return [
            bytes(some(0, false)), bytes(some(0, true)), count(some(1, false)),
            count(some(1, true)), acks(some(2, false)), acks(some(2, true)),
            count(some(3, false)), count(some(4, true)), count(some(4, false)),
        ]
    }

    @Test(arguments: [0, 500])
    func `what is told is what was counted`(rate: Int) throws {
        let crowd = try crowd("tap \(rate)", rate: rate)
        begin(crowd, 1, keeping: 0)
        let before = counts(crowd, 1)
        for _ in 0..<4 {
            send(crowd, 10)
            // A ping by hand: stations check no trains.
            var body = [UInt8](repeating: 7, count: 9)
            let row = crowd[0].table.peer(keyID: crowd.nodes[1].keyID)
            let begun = crowd[0].station.worker.begin(row)
            var train = try #require(begun)
            let added = body.withRegion { train.writer.add(.ping, $0) }
            #expect(added)
            crowd[0].station.worker.depart(train)
            crowd[0].station.worker.send()
        }
        _ = crowd.turn(seconds: 1) { false }
        let told = drain(crowd, 1)
        let after = counts(crowd, 1)
        let counted = zip(before, after).map { zip($0, $1).map { $1 - $0 } }
        #expect(counts(told) == counted)
        #expect(counted[2] == [40] && counted[3] == [40] && counted[6] == [4])
        #expect(crowd[1].counters.value(.traceDropped) == 0)
        // Of a datagram its head is kept, of a frame nothing; neighbours are told apart.
        for record in told {
            #expect(record.kept.count == (record.kind == 0 ? 16 : 0))
            guard record.kind == 1 else { continue }
            #expect(record.keyID == crowd.nodes[record.isOutgoing ? 2 : 0].keyID)
        }
        #expect(told.allSatisfy { $0.kind != 0 || $0.kept[0] == 4 && $0.keyID != 0 })
        // Heads are a datagram's own: no session has a counter twice.
        let heads = told.filter { $0.kind == 0 }.map { $0.kept + [$0.isOutgoing ? 1 : 0] }
        #expect(Set(heads).count == heads.count)
    }

    @Test func `packets are kept whole if that is wished, and nothing else is`() throws {
        let crowd = try crowd("tap whole")
        let packetBytes = crowd.maker.geometry.packetBytes
        begin(crowd, 1, keeping: packetBytes)
        begin(crowd, 2, keeping: packetBytes)
        let made = (0..<5).map { _ in crowd.maker.make([1, 2], from: 0) }
        for packet in made { crowd[0].send(packet, to: crowd.nodes[1]) }
        #expect(crowd.turn { crowd[1].unlocked == 5 })
        let (first, second) = (drain(crowd, 1), drain(crowd, 2))
        func packets(_ told: [Told], _ isOutgoing: Bool) -> Set<[UInt8]> {
            Set(told.filter { $0.kind == 1 && $0.isOutgoing == isOutgoing }.map(\.kept))
        }
        #expect(packets(first, false) == Set(made.map(\.bytes)))
        #expect(packets(first, true) == packets(second, false))
        #expect(packets(first, true).count == 5)
        #expect((first + second).allSatisfy { $0.kind <= 1 || $0.kept.isEmpty })
        #expect((first + second).contains { $0.kind == 2 })
    }

    @Test func `a datagram that no session opened is nobody's`() throws {
        let (network, crowd) = try network("tap strangers")
        begin(crowd, 1, keeping: 0)
        var random = SeededGenerator("tap strangers")
        // The kernel shows no others.
        let sizes = [LinkLimits.datagramBytesMin, LinkLimits.datagramBytes]
        let sent = sizes.map { random.bytes($0) }
        for bytes in sent {
            network.carry(bytes, from: crowd[0].address, to: crowd[1].address)
        }
        _ = crowd.turn(seconds: 1) { false }
        let told = drain(crowd, 1).filter { $0.keyID == 0 && !$0.isOutgoing }
        #expect(told.map(\.size).sorted() == sizes)
        #expect(Set(told.map(\.kept)) == Set(sent.map { Array($0.prefix(16)) }))
    }

    @Test func `a full ring drops records, counts them, and stops nothing`() throws {
        let crowd = try crowd("tap full")
        begin(crowd, 1, keeping: crowd.maker.geometry.packetBytes)
        let before = counts(crowd, 1)
        for _ in 0..<15 { send(crowd, 10) }
        let after = counts(crowd, 1)
        let dropped = crowd[1].counters.value(.traceDropped)
        #expect(dropped > 0)
        let told = drain(crowd, 1)
        let crossed = zip(before, after).map { $1[0] - $0[0] }
        #expect(crossed[2...3] == [150, 150])
        // Frames and datagrams, told or not.
        #expect(UInt64(told.count) + dropped >= crossed[0] + crossed[1] + 300)
        // And it goes on.
        send(crowd, 10)
        #expect(drain(crowd, 1).filter { $0.kind == 1 }.count == 20)
        #expect(crowd[1].counters.value(.traceDropped) == dropped)
    }

    @Test func `nothing is left while nobody records, nor of what was before`() throws {
        let crowd = try crowd("tap off")
        send(crowd, 10)
        #expect(crowd[1].station.tapMemory.region.array.allSatisfy { $0 == 0 })
        begin(crowd, 1, keeping: 0)
        send(crowd, 10)
        crowd[1].station.tap.end()
        crowd.turn()
        #expect(crowd[1].station.tap.isObeyed)
        let first = drain(crowd, 1).count
        #expect(first > 0)
        send(crowd, 10)
        #expect(drain(crowd, 1).isEmpty)
        // What somebody else left lying is thrown away.
        begin(crowd, 1, keeping: 0)
        send(crowd, 10)
        begin(crowd, 1, keeping: 1)
        #expect(drain(crowd, 1).allSatisfy { $0.kind == 0 })
    }
}
