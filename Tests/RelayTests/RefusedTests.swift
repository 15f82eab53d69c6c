import Bytes
import Exchange
import TestSupport
import Testing

@testable import Relay

@Suite(.serialized) struct RefusedTests {
    @Test func `what is forged or came before is counted and noted, and spoils nothing else`()
        throws
    {
        let line = try Line("refused")
        let packets = (0..<20).map { _ in line.maker.make([1, 2], from: 0).bytes }
        var datagrams = line.sender.datagrams(.packet, packets, to: line.nodes[1].keyID)
        let count = datagrams.count
        for place in [3, 7, 11] {
            var forged = datagrams[place]
            forged[500] ^= 1
            datagrams.insert(forged, at: 0)
        }
        datagrams += datagrams.suffix(2)
        for datagram in datagrams { line.sender.send(raw: datagram, to: line.relay.address) }
        let counters = line.relay.counters
        #expect(line.turn { counters.value(.datagramsIn) == count + 5 })
        #expect(line.turn { counters.value(.packetsOut) == 20 })
        #expect(counters.value(Drop.linkTag) == 3 && counters.value(Drop.linkReplay) == 2)
        for (reason, times) in [(Drop.linkTag, 3), (.linkReplay, 2)] {
            let noted = counters.rejects.entries.first { $0.reason == reason }
            #expect(noted?.keyID == .max && noted?.count == UInt64(times))
        }
    }
}
