internal import Bytes
internal import Crypto
internal import Sphinx
internal import Tickets

/// Makes the packets that carry next hops' acknowledgements to the relay, several together.
final class AckMaker {
    /// Most packets made together.
    static let packetsMax = 16

    private let network: LoadNetwork
    private let capacity: Int
    private let memory: Memory
    private let slab: Slab
    private let scratch: BuildScratch
    private let random: Region
    /// Acknowledgements by link; a ring of `rows` for each.
    private let queue: Column<Acknowledgement>
    private let first: Column<Int>
    private let count: Column<Int>
    private var source: Source
    private var links = [64 of Int](repeating: 0)
    private static let rows = 4_096

    /// Acknowledgements that wait.
    private(set) var waiting = 0
    /// Packets that they fill.
    private(set) var full = 0

    init(_ network: LoadNetwork) {
        self.network = network
        let plan = network.plan
        capacity = plan.geometry.ackCapacity
        source = Source(seed: plan.seed &+ 1)
        let slabBytes = 2_048 * AckMaker.packetsMax
        let rows = AckMaker.rows * plan.links
        var measure = Arena()
        _ = BuildScratch(&measure, lanes: AckMaker.packetsMax)
        _ = measure.column(Acknowledgement.self, rows)
        memory = Memory(slabBytes + measure.used + 64 * plan.links + 4_096)
        var arena = Arena(memory.region)
        slab = Slab(region: arena.region(slabBytes), stride: 2_048, offset: 64)
        scratch = BuildScratch(&arena, lanes: AckMaker.packetsMax)
        queue = arena.column(Acknowledgement.self, rows)
        first = arena.column(Int.self, plan.links)
        count = arena.column(Int.self, plan.links)
        random = arena.region(AckPacket.randomBytes)
    }

    /// Queues an acknowledgement of a link.
    func add(_ acknowledgement: Region, from link: Int) {
        precondition(count[link] < AckMaker.rows, "acknowledgements are never sent")
        let place = (first[link] + count[link]) % AckMaker.rows
        queue[link * AckMaker.rows + place] = acknowledgement.load(0)
        count[link] += 1
        waiting += 1
        if count[link] % capacity == 0 { full += 1 }
    }

    /// Makes packets of what waits, `packetsMax` at most; returns how many.
    ///
    /// - Parameter partial: those that are not full, too.
    func make(partial: Bool) -> Int {
        var made = 0
        var slots = [64 of UInt32](repeating: 0)
        for link in 0..<network.plan.links {
            while count[link] >= (partial ? 1 : capacity), made < AckMaker.packetsMax {
                slots[made] = UInt32(made)
                begin(made, link)
                made += 1
            }
        }
        let sealed = AckPacket.seal(
            lanes: .first(made),
            slab: slab,
            slots: slots,
            geometry: network.plan.geometry,
            scratch: scratch
        )
        precondition(sealed == .first(made), "an acknowledgement packet is not made")
        return made
    }

    private func begin(_ lane: Int, _ link: Int) {
        let geometry = network.plan.geometry
        let taken = min(count[link], capacity)
        let textBytes = Acknowledgements.textBytes(count: taken)
        let packet = packet(lane)
        let text = AckPacket.text(in: packet, count: textBytes, geometry: geometry)
        let acks = Acknowledgements.begin(text, count: taken)
        for index in 0..<taken {
            acks[index] = queue[link * AckMaker.rows + (first[link] + index) % AckMaker.rows]
        }
        if taken == capacity { full -= 1 }
        first[link] = (first[link] + taken) % AckMaker.rows
        count[link] -= taken
        waiting -= taken
        links[lane] = link
        source.fill(random)
        let challenge = AckPacket.put(
            packet,
            textBytes: textBytes,
            to: network.relay.packetKey.publicKey,
            random: random,
            geometry: geometry,
            scratch: scratch,
            lane: lane
        )
        // Nobody looks at the signature of a ticket that is worth nothing.
        Ticket.zeroHop(to: network.relay.chainKey.address, challenge: challenge)
            .write(to: packet.slice(geometry.ticketOffset, Ticket.byteCount))
    }

    /// A packet that was made; it stays until the next are.
    func packet(_ made: Int) -> Region {
        slab.packet(UInt32(made), network.plan.geometry.packetBytes)
    }

    /// The link that it goes by.
    func link(_ made: Int) -> Int { links[made] }
}
