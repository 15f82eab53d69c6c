import Bytes
import Chain
import Exchange
import TestSupport
import Testing
import Tickets

@testable import Node

/// A view with a register of nodes, key ids from 1, and open channels between some of them.
func view(
    _ nodes: [(address: Address, packetKey: Bytes32)],
    channels: [(Address, Address)]
) -> LedgerView {
    var view = LedgerView()
    func add(_ kind: LedgerEvent.Kind) {
        view.apply(LedgerEvent(sequence: view.sequence + 1, millis: 0, kind: kind))
    }
    for (place, node) in nodes.enumerated() {
        add(
            .node(
                RegisteredNode(
                    keyID: UInt32(place + 1),
                    packetKey: node.packetKey,
                    chainAddress: node.address,
                    endpoint: Endpoint(ipv4: 127, 0, 0, 1, port: UInt16(place + 1)),
                    announcedMillis: 0
                )
            )
        )
    }
    for (source, destination) in channels {
        let id = TicketDomain.channelID(source: source, destination: destination)
        var channel = Channel(id: id, source: source, destination: destination)
        channel.status = .open
        channel.balance = 1
        add(.funded(channel, amount: 1))
    }
    return view
}

/// Paths among nodes 1...count.
private func finder(_ count: UInt8, channels: [(UInt8, UInt8)]) -> PathFinder {
    PathFinder(
        view(
            (1...count).map { (address($0), Bytes32()) },
            channels: channels.map { (address($0), address($1)) }
        )
    )
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
