import Bytes
import Chain
import Exchange
import TestSupport
import Testing

@testable import Node

/// A view with nodes 1...count and open channels between some of them.
private func finder(_ count: UInt8, channels: [(UInt8, UInt8)]) -> PathFinder {
    var view = LedgerView()
    var sequence: UInt64 = 0
    func add(_ kind: LedgerEvent.Kind) {
        sequence += 1
        view.apply(LedgerEvent(sequence: sequence, millis: 0, kind: kind))
    }
    for number in 1...count {
        add(
            .node(
                RegisteredNode(
                    keyID: UInt32(number),
                    packetKey: Bytes32(),
                    chainAddress: address(number),
                    endpoint: Endpoint(ipv4: 127, 0, 0, 1, port: UInt16(number)),
                    announcedMillis: 0
                )
            )
        )
    }
    for (source, destination) in channels {
        var id = Bytes32()
        id[0] = source
        id[1] = destination
        var channel = Channel(id: id, source: address(source), destination: address(destination))
        channel.status = .open
        channel.balance = 1
        add(.funded(channel, amount: 1))
    }
    return PathFinder(view)
}

private func address(_ number: UInt8) -> Address {
    var address = Address()
    address[0] = number
    return address
}

@Suite struct PathFinderTests {
    @Test func `a path is paid all along but for its last hop`() {
        var generator = SeededGenerator("path")
        let finder = finder(5, channels: [(1, 2), (2, 3), (3, 4)])
        let path = finder.relays(from: address(1), to: address(5), hops: 3, using: &generator)
        #expect(path == [address(2), address(3), address(4)])
        #expect(
            finder.relays(from: address(5), to: address(1), hops: 1, using: &generator) == nil
        )
        #expect(finder.relays(from: address(1), to: address(5), hops: 0, using: &generator) == [])
    }

    @Test func `nobody is on a path twice, and neither end is a relay`() {
        var generator = SeededGenerator("path")
        let all = (1...5).flatMap { from in (1...5).map { (UInt8(from), UInt8($0)) } }
            .filter { $0.0 != $0.1 }
        let finder = finder(5, channels: all)
        var seen = Set<[Address]>()
        for _ in 0..<200 {
            let path = finder.relays(from: address(1), to: address(5), hops: 3, using: &generator)
            #expect(Set(path ?? []) == [address(2), address(3), address(4)])
            seen.insert(path ?? [])
        }
        #expect(seen.count == 6)
    }

    @Test func `a search without an end is given up`() {
        var generator = SeededGenerator("path")
        let all = (2...40).flatMap { from in (2...40).map { (UInt8(from), UInt8($0)) } }
            .filter { $0.0 != $0.1 }
        let finder = finder(40, channels: [(1, 2)] + all)
        #expect(
            finder.relays(from: address(1), to: address(41), hops: 39, using: &generator) != []
        )
    }
}
