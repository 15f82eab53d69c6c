import Bytes
import Foundation
import TestSupport
import Testing

@testable import Load

/// A plan for tests, and a folder that goes with it.
final class LoadFolder {
    let path: String
    var plan = LoadPlan()

    init(packets: Int = 1_000) {
        path = NSTemporaryDirectory() + "dray-load-\(UUID().uuidString)"
        plan.senders = 3
        plan.heavySenders = 1
        plan.nextHops = 3
        plan.packets = packets
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func trace(_ plan: LoadPlan? = nil) throws -> LoadTrace {
        try LoadTrace.open("\(path)/a/packets.trace", plan ?? self.plan) { _ in }
    }

    var bytes: Data? { FileManager.default.contents(atPath: "\(path)/a/packets.trace") }
}

@Suite struct LoadTraceTests {
    @Test func `a trace has every sender's share, each packet once`() throws {
        let folder = LoadFolder(packets: 512)
        let trace = try folder.trace()
        #expect(trace.count == 512)
        var indices: [[UInt64]] = [[], [], []]
        for number in 0..<trace.count {
            let row = trace.rows[number]
            let ticket = trace.packet(number).slice(folder.plan.geometry.ticketOffset, 132)
            indices[Int(row.sender)].append(ticket.bigEndian(32, count: 6))
            #expect((3..<6).contains(Int(row.nextLink)))
            // A run is one sender's.
            #expect(row.sender == trace.rows[number / folder.plan.run * folder.plan.run].sender)
        }
        #expect(indices.map(\.count) == [128, 128, 256])
        #expect(indices.allSatisfy { $0.sorted() == Array(0..<UInt64($0.count)) })
        let marks = Set((0..<trace.count).map { trace.rows[$0].mark })
        #expect(marks.count == trace.count)
    }

    @Test func `a trace is built once, and anew when it is another's or damaged`() throws {
        let folder = LoadFolder(packets: 256)
        _ = try folder.trace()
        let first = try #require(folder.bytes)
        let attributes = try FileManager.default.attributesOfItem(
            atPath: "\(folder.path)/a/packets.trace"
        )
        let again = try folder.trace()
        let same = try FileManager.default.attributesOfItem(
            atPath: "\(folder.path)/a/packets.trace"
        )
        let (old, new) = (attributes[.systemFileNumber], same[.systemFileNumber])
        #expect("\(old ?? 0)" == "\(new ?? 1)")
        withExtendedLifetime(again) {}

        var other = folder.plan
        other.seed = 2
        _ = try folder.trace(other)
        #expect(folder.bytes != first)
        _ = try folder.trace()
        #expect(folder.bytes == first)

        var damaged = first
        damaged[damaged.count / 2] ^= 1
        try damaged.write(to: URL(fileURLWithPath: "\(folder.path)/a/packets.trace"))
        _ = try folder.trace()
        #expect(folder.bytes == first)
    }
}

@Suite(.serialized) struct LoadRunTests {
    private func phase(_ pace: LoadPhase.Pace) -> LoadPhase {
        LoadPhase(name: "test", pace: pace, warmNanos: 0, nanos: 60_000_000_000)
    }

    @Test(arguments: [1, 8])
    func `every packet of a run is forwarded, acknowledged and accounted for`(
        perTrain: Int
    ) throws {
        let trace = try LoadFolder().trace()
        var phase = phase(.window(64))
        phase.perTrain = perTrain
        let result = try LoadRun.run(trace, trace.plan, phase)
        #expect(result.sentInAll == UInt64(trace.count))
        #expect(result.drops.isEmpty && result.lost == 0)
        #expect(result.arrived <= UInt64(trace.count))
        #expect(result.configuredBytes > 1 << 20)
        #expect(result.lanesUsed <= result.lanesRun)
    }

    @Test func `a relay that reads nothing passes everything on`() throws {
        let plan = LoadFolder().plan
        var phase = phase(.window(128))
        phase.perTrain = 29
        phase.isUnread = true
        let traffic = UnreadTraffic(plan, count: 29 * 20, perTrain: 29)
        let result = try LoadRun.run(traffic, plan, phase)
        #expect(result.sentInAll == 29 * 20)
        #expect(result.drops.isEmpty && result.lost == 0)
    }

    @Test func `a run at a set rate, with junk, accounts for everything`() throws {
        let trace = try LoadFolder(packets: 256).trace()
        var phase = phase(.rate(2_000))
        phase.nanos = 50_000_000
        phase.hasJunk = true
        let result = try LoadRun.run(trace, trace.plan, phase)
        #expect(result.junk > 0)
        let dropped = result.drops.reduce(0) { $0 + $1.count }
        #expect(dropped + result.lost >= result.junk)
    }

    @Test func `what does not add up is told`() {
        var checks = LoadChecks()
        checks.equal("same", 3, 3)
        checks.lost("none", 0, by: 0)
        checks.lost("trains", 128, by: 2)
        checks.packets("came", 8, of: 12, lost: 2)
        #expect(checks.lines.isEmpty)
        checks.equal("other", 3, 4)
        checks.lost("silently", 1, by: 0)
        checks.lost("too many", 129, by: 2)
        checks.lost("too few", 1, by: 2)
        checks.packets("gone", 7, of: 12, lost: 2)
        checks.packets("from nowhere", 13, of: 12, lost: 2)
        #expect(checks.lines.count == 6)
    }

    @Test func `a next hop's check refuses what is no packet for it`() throws {
        let trace = try LoadFolder(packets: 256).trace()
        let network = LoadNetwork(trace.plan, port: 9)
        let memory = Memory(2_048 + 64)
        let slab = Slab(region: memory.region.slice(0, 2_048), stride: 2_048, offset: 64)
        let numbers: Column<Int> = memory.region.column(2_048, count: 1)
        slab.packet(0, trace.plan.packetBytes).copy(trace.packet(0), to: 0)
        let faults = NextHopCheck(network, trace).faults(slab, numbers, count: 1)
        #expect(faults.count == 1)
    }

    @Test(arguments: [false, true])
    func `the bare forwarder brings everything back, with either library`(
        usesLibcrypto: Bool
    ) throws {
        var plan = LoadPlan.smoke
        plan.run = 4
        let bare = try BareLoad(
            plan,
            datagramBytes: 1_452,
            usesLibcrypto: usesLibcrypto,
            cpu: nil
        )
        let full = try bare.saturate(window: 64, nanos: 20_000_000)
        #expect(full.nanos >= 20_000_000)
        let calm = try bare.pace(rate: 1_000, nanos: 20_000_000)
        #expect(calm.arrived >= calm.latency.count)
    }
}
