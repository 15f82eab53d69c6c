import Bytes
import Crypto
import Datapath
import Glibc
import Harness
import Load
import Sphinx
import Tickets

/// Tickets of many issuers in turn, each with a table: what a relay sees that has many neighbours.
private final class IssuerBench {
    private let network: Network
    private let memory: Memory
    private let pages: MappedPages
    private let lanes: TicketLanes
    private let tickets: Region
    private let channelIDs: Column<Bytes32>
    private let domains: Column<Bytes32>
    private let hashes: Column<Bytes32>
    private let issuers: Column<Address>
    private let slab: Slab
    private let count: Int
    private let rounds: Int
    private var round = 0

    init(_ network: Network, issuers count: Int) {
        self.network = network
        self.count = count
        rounds = (count + 63) / 64
        let ticketBytes = MemoryLayout<Ticket>.stride * 64 * rounds
        memory = Memory((1 << 17) + ticketBytes)
        guard let pages = try? MappedPages(count * Kernels.signerBytes) else {
            fatalError("no memory for the tables")
        }
        self.pages = pages
        slab = Slab(region: pages.region, stride: Kernels.signerBytes)
        var arena = Arena(memory.region)
        lanes = TicketLanes(&arena, curve: .shared, selector: network.geometry.ticketSelector)
        channelIDs = arena.column(Bytes32.self, 64)
        domains = arena.column(Bytes32.self, 64)
        hashes = arena.column(Bytes32.self, 64)
        issuers = arena.column(Address.self, 64)
        tickets = arena.region(ticketBytes)
        for lane in 0..<64 {
            channelIDs[lane] = network.channelID(0, 1)
            domains[lane] = network.ticketDomain
        }
        let keys = (0..<count).map { _ in makeKey() }
        for entry in 0..<64 * rounds { sign(entry, keys[entry % count]) }
        for (place, key) in keys.enumerated() { makeTable(place, key) }
        say("ticket.verify.issuers: \(count) tables, \(pages.region.byteCount) bytes")
    }

    private func makeKey() -> ChainKey {
        var secret = network.source.bytes(32)
        guard let key = secret.withRegion({ ChainKey(secret: $0) }) else { fatalError("no key") }
        return key
    }

    private func column(_ round: Int) -> Column<Ticket> {
        tickets.column(round * 64 * MemoryLayout<Ticket>.stride, count: 64)
    }

    private func sign(_ entry: Int, _ key: ChainKey) {
        var ticket = Ticket.zeroHop(to: network.nodes[1].chainKey.address, challenge: Address())
        ticket.index = UInt64(entry)
        ticket.sign(
            key: key,
            channelID: channelIDs[0],
            domain: domains[0],
            selector: network.geometry.ticketSelector
        )
        column(entry / 64)[entry % 64] = ticket
    }

    private func makeTable(_ place: Int, _ key: ChainKey) {
        var point = key.affine
        let made = point.withRegion {
            Kernels.ecdsaTableVariableTime(
                Lanes($0),
                table: Lanes(slab.packet(UInt32(place), Kernels.signerBytes)),
                live: 1
            )
        }
        precondition(made == 1, "a key is no point")
    }

    func verify() -> UInt64 {
        let tickets = column(round)
        var tables = LaneTables(slab)
        for lane in 0..<64 {
            tables.set(lane, place: UInt32((round * 64 + lane) % count))
        }
        round = (round + 1) % rounds
        lanes.hash(tickets, channelIDs: channelIDs, domains: domains, lanes: .max, into: hashes)
        let signed = lanes.verifyVariableTime(
            tickets,
            hashes: hashes,
            issuers: issuers,
            tables: tables,
            lanes: .max
        )
        precondition(signed == .max, "a signature is wrong")
        return signed
    }
}

/// Bytes that the system would hand out.
private func availableBytes() -> Int {
    guard let file = unsafe fopen("/proc/meminfo", "r") else { return 0 }
    defer { _ = unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, 256, file) != nil {
        let end = line.firstIndex(of: 0) ?? line.count
        let words = String(decoding: line[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: " ")
        if words.count > 1, words[0] == "MemAvailable:" { return (Int(words[1]) ?? 0) * 1_024 }
    }
    return 0
}

/// Each bench takes its memory when its case is measured: ten thousand tables are 2.6 GB. Where
/// memory is short there are fewer of them.
func issuerCases(_ network: Network) -> [Case] {
    [1, 100, 1_000, 10_000].map { count in
        var bench: IssuerBench?
        return Case(
            "ticket.verify.issuers\(count)",
            batch: 64,
            leastName: count >= 1_000 ? "ticket.verify.issuers" : "",
            before: {
                guard bench == nil else { return }
                let room = max(1, availableBytes() / 2 / Kernels.signerBytes)
                bench = IssuerBench(network, issuers: min(count, room))
            },
            body: { bench.map { $0.verify() } ?? 0 }
        )
    }
}
