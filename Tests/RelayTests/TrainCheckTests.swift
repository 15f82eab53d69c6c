import Bytes
import Datapath
import Exchange
import Link
import TestSupport
import Testing

@testable import Relay

/// Trains that get lost where single datagrams do not.
@Suite struct TrainCheckTests {
    private static let stepNanos: UInt64 = 2_000_000

    private func crowd(
        _ name: String,
        _ network: SimulatedNetwork,
        count: Int
    ) throws -> LinkCrowd {
        network.wire.waits = false
        network.wire.delayNanos = 3_000_000
        let crowd = try LinkCrowd(name, count: count, in: network) {
            $0.trainCheckNanos = 200_000_000
            $0.mixing = .none
            $0.engine.ackTTLNanos = 1_000_000_000
        }
        crowd.each = { network.advance(nanos: TrainCheckTests.stepNanos) }
        let links = (1..<count).map { (0, $0) }
        for (left, right) in links { crowd[left].wants(crowd[right]) }
        let isUp = crowd.turn { crowd.areUp(links) }
        #expect(isUp)
        return crowd
    }

    /// Packets to all neighbours for some time.
    private func run(_ crowd: LinkCrowd, seconds: Int, to others: [Int]) {
        for step in 0..<seconds * 500 {
            if step % 50 == 0 {
                for other in others { for _ in 0..<3 { crowd.send([other]) } }
            }
            crowd.turn()
        }
    }

    @Test(arguments: [2, 3])
    func `a node whose trains get lost sends single datagrams from then on`(count: Int) throws {
        let network = try SimulatedNetwork(seed: 1)
        network.wire.cutsTrains = true
        let crowd = try crowd("lost trains", network, count: count)
        let others = Array(1..<count)
        let before = crowd.stations[1].counters.value(Counter.packetsReceived)
        #expect(before == 0 && crowd[0].sendsTrains)
        run(crowd, seconds: 8, to: others)
        #expect(!crowd[0].sendsTrains && crowd[0].station.board.status.trainsLost == 1)
        let received = crowd[1].counters.value(Counter.packetsReceived)
        let sent = crowd[0].counters.value(Counter.packetsOut)
        run(crowd, seconds: 1, to: others)
        let now = crowd[0].counters.value(Counter.packetsOut) - sent
        let here = crowd[1].counters.value(Counter.packetsReceived) - received
        #expect(Int(here) * others.count >= Int(now) - 3 * others.count)
        #expect(crowd[0].station.board.status.trainsLost == 1)
    }

    @Test func `loss of any other kind turns nothing off`() throws {
        let network = try SimulatedNetwork(seed: 2)
        let crowd = try crowd("lossy", network, count: 2)
        network.wire.lossPerMillion = 300_000
        run(crowd, seconds: 20, to: [1])
        #expect(crowd[0].sendsTrains)
        #expect(crowd[0].counters.value(.pongsIn) > 20)
        #expect(crowd[1].counters.value(.pingsIn) > 40)
    }

    @Test func `a node that sends no trains pings nobody`() throws {
        let network = try SimulatedNetwork(seed: 3)
        let crowd = try crowd("quiet", network, count: 2)
        for _ in 0..<2_000 { crowd.turn() }
        #expect(crowd[1].counters.value(.pingsIn) == 0)
        // One train is followed by one check.
        for _ in 0..<3 { crowd.send([1]) }
        for _ in 0..<4_000 { crowd.turn() }
        #expect(crowd[1].counters.value(.pingsIn) == 8)
        #expect(crowd[0].counters.value(.pongsIn) == 8)
    }

    /// Two good ways and one bad: the bad one's verdicts are not in a row.
    @Test func `one neighbour that answers as if trains got lost turns nothing off`() {
        var check = TrainCheck()
        let mesh = LinkMesh("check", keyIDs: [1, 2, 3])
        defer { withExtendedLifetime(mesh) {} }
        let links = mesh.nodes[0].table
        let rows = [links.peer(keyID: 2), links.peer(keyID: 3)]
        for round in 0..<6 {
            check.noteTrain(rows[round % 2])
            check.noteTrain(rows[(round + 1) % 2])
            let began = check.begin(links)
            #expect(began)
            let isBad = check.row == rows[0]
            var isOver = false
            for _ in 0..<8 {
                check.settle(answered: !isBad || !check.isTrainNext)
                isOver = check.isOver() || isOver
            }
            #expect(check.row == LinkTable.none && !isOver)
        }
        // Both of them bad.
        for round in 0..<2 {
            check.noteTrain(rows[0])
            check.noteTrain(rows[1])
            let began = check.begin(links)
            #expect(began)
            var isOver = false
            for _ in 0..<8 {
                check.settle(answered: !check.isTrainNext)
                isOver = check.isOver() || isOver
            }
            #expect(isOver == (round == 1))
        }
    }
}

extension LinkStation {
    var sendsTrains: Bool { station.worker.port.segmentation }
}
