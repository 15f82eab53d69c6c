import Bytes
import Datapath
import Exchange
import Foundation
import Link
import Relay
import TestSupport
import Testing

/// Two hosts with a wire between them.
@Suite(
    .serialized,
    .enabled(if: Sandbox.hasNetworks, "needs the right to make network namespaces")
)
struct WireTests {
    /// A wire, and what is to come of it.
    struct Case: Sendable, CustomTestStringConvertible {
        var way: Way
        var mtu: Int
        /// Datagrams as configured.
        var wanted: Int
        /// Datagrams as they get through.
        var bytes: Int
        var testDescription: String { "\(way), \(mtu)" }
    }

    static let cases = Way.allCases.flatMap { way in
        [
            Case(way: way, mtu: 1_500, wanted: 1_452, bytes: 1_452),
            Case(way: way, mtu: 9_000, wanted: 8_952, bytes: 8_952),
            Case(way: way, mtu: 1_300, wanted: 1_452, bytes: 1_232),
        ]
    }

    static func address(_ host: UInt8, family: UInt8) -> DatagramAddress {
        var address = Bytes16()
        let bytes = family == 4 ? NetworkPair.host(host) : NetworkPair.host6(host)
        for (index, byte) in bytes.enumerated() { address[index] = byte }
        return DatagramAddress(family: family, address: address, port: 9_091)
    }

    /// One station on each side.
    static func crowd(
        _ name: String,
        _ pair: NetworkPair,
        _ way: Way,
        family: UInt8,
        datagramBytes: Int = 1_452,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws -> LinkCrowd {
        try LinkCrowd(
            name,
            places: [
                .inside(pair.left, address(1, family: family), way),
                .inside(pair.right, address(2, family: family), way),
            ],
            datagramBytes: datagramBytes,
            configure: configure
        )
    }

    /// There and back again: the right side relays, the left one is the destination, too.
    static let packets = LinkCrowd.packets(100, along: [1, 0], of: 2)

    static func exchange(_ crowd: LinkCrowd, packets: Int) -> Bool {
        for number in 0..<packets {
            crowd[0].send(WireTests.packets[number], to: crowd.nodes[1])
            if number % 16 == 15 { for _ in 0..<4 { crowd.turn() } }
        }
        return crowd.turn {
            crowd[0].delivered == packets && crowd[1].unlocked == packets
                && crowd[0].acknowledged == packets
        }
    }

    /// Stations that have a link, by IPv4 and by IPv6.
    ///
    /// A handshake has a second. Where a busy machine took longer, smaller datagrams were tried as
    /// well: then others are asked.
    private static func linked(_ pair: NetworkPair, _ given: Case) throws -> [LinkCrowd] {
        var crowds: [LinkCrowd] = []
        for attempt in 0..<4 {
            // Their addresses are free again.
            crowds = []
            crowds = try [4, 6].map { family in
                try crowd(
                    "wire \(attempt) \(given.testDescription) IPv\(family)",
                    pair,
                    given.way,
                    family: UInt8(family),
                    datagramBytes: given.wanted
                )
            }
            for crowd in crowds { crowd[0].wants(crowd[1]) }
            // Both at once: on a narrow wire it takes some tries until a size gets through.
            let both = crowds[0]
            both.each = { crowds[1].turn() }
            defer { both.each = {} }
            let isUp = both.turn { crowds.allSatisfy { $0.areUp([(0, 1)]) } }
            #expect(isUp)
            if crowds.allSatisfy({ $0[0].datagramBytes(to: $0[1]) == given.bytes }) { break }
        }
        return crowds
    }

    @Test(arguments: cases)
    func `packets cross both ways over links, and every one is paid`(_ given: Case) throws {
        let pair = try NetworkPair(mtu: given.mtu)
        let crowds = try WireTests.linked(pair, given)
        for crowd in crowds {
            #expect(crowd[0].datagramBytes(to: crowd[1]) == given.bytes)
            #expect(crowd[1].datagramBytes(to: crowd[0]) == given.bytes)
            let count = 100
            let all = WireTests.exchange(crowd, packets: count)
            #expect(all, "\(crowd[0].ledger), \(crowd[1].ledger)")
            #expect(crowd[1].counters.value(.ticketsLocked) == count)
            for station in crowd.stations {
                #expect(station.ledger.isBalanced && station.ledger.inFlight == 0)
                #expect(station.hasAllSlots)
                let drops = Drop.allCases.filter { station.counters.value($0) != 0 }
                #expect(drops.isEmpty, "\(drops)")
                #expect(given.way == .ring || station.features.backend == .syscalls)
            }
        }
    }

    @Test(arguments: [4, 6] as [UInt8])
    func `a listener on the wire sees datagrams of one size and three fields`(
        family: UInt8
    ) throws {
        let pair = try NetworkPair()
        // The kernel would show trains in one piece.
        let crowd = try WireTests.crowd("listener IPv\(family)", pair, .ring, family: family) {
            $0.port.segmentation = false
        }
        let tap = try Tap(pair.right)
        crowd.each = { tap.listen() }
        crowd[0].wants(crowd[1])
        let isUp = crowd.turn { crowd.areUp([(0, 1)]) }
        #expect(isUp)
        let all = WireTests.exchange(crowd, packets: 40)
        #expect(all)
        tap.listen()
        #expect(tap.datagrams.count > 2 + 2 * 40)
        #expect(tap.datagrams.allSatisfy { $0.count == 1_452 })
        #expect(Set(tap.datagrams.map { $0[0] }) == [1, 2, 4])
        let sessions = Set(tap.datagrams.filter { $0[0] == 4 }.map { Array($0[4..<8]) })
        #expect(sessions.count == 2)
        expectHidden(tap.datagrams, secrets: crowd)
    }
}

/// Sees every UDP datagram of the links in a network, as a listener on the wire does.
private final class Tap {
    private(set) var datagrams: [[UInt8]] = []
    private let file: Int32

    init(_ network: Network) throws {
        // Whatever comes or goes by any device, from its IP head on.
        let (packet, everything): (Int32, UInt16) = (17, 3)
        file = try network.run {
            socket(packet, Int32(SOCK_DGRAM.rawValue), Int32(everything.bigEndian))
        }
        guard file >= 0 else { throw DatapathError.system("socket", errno) }
        var bytes: Int32 = 8 << 20
        _ = setsockopt(file, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
    }

    deinit { close(file) }

    func listen() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(file, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return }
            let head = buffer[0] >> 4 == 4 ? 20 : 40
            let kind = buffer[0] >> 4 == 4 ? buffer[9] : buffer[6]
            guard kind == 17, count > head + 8 else { continue }
            datagrams.append(Array(buffer[head + 8..<count]))
        }
    }
}
