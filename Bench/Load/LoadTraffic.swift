internal import Bytes
internal import Sphinx
internal import Tickets

/// The packets of a phase, and how one is known when it comes out of the relay.
protocol LoadTraffic {
    /// Packets, numbered from 0 in the order in which they are sent.
    var count: Int { get }
    /// A packet as it is sent; valid until the next is asked for.
    func packet(_ number: Int) -> Region
    /// Link that it comes by; packets of one train have the same.
    func sender(_ number: Int) -> Int
    /// Link that it leaves by.
    func nextLink(_ number: Int) -> Int
    /// The packet that the relay made another of; nil if it is none of these.
    func number(ofForwarded packet: Region) -> Int?
    /// How its next hop acknowledges it.
    func acknowledgement(_ number: Int) -> Region
}

extension LoadTrace: LoadTraffic {
    func sender(_ number: Int) -> Int { Int(rows[number].sender) }
    func nextLink(_ number: Int) -> Int { Int(rows[number].nextLink) }
}

/// Packets for a relay that does not read them: the first bytes of each name its next hop, the
/// next ones its number.
struct UnreadTraffic: LoadTraffic {
    let count: Int
    private let plan: LoadPlan
    private let perTrain: Int
    private let memory: Memory

    /// - Parameter perTrain: packets that one sender sends in a row.
    init(_ plan: LoadPlan, count: Int, perTrain: Int) {
        self.plan = plan
        self.count = count
        self.perTrain = perTrain
        memory = Memory(plan.packetBytes + Acknowledgements.byteCount)
        var source = Source(seed: plan.seed)
        source.fill(memory.region)
    }

    func packet(_ number: Int) -> Region {
        let packet = memory.region.slice(0, plan.packetBytes)
        packet.store(UInt32(nextLink(number)), 0)
        packet.store(UInt64(number), 4)
        return packet
    }

    func sender(_ number: Int) -> Int { number / perTrain % plan.senders }

    func nextLink(_ number: Int) -> Int { plan.link(nextHop: number % plan.nextHops) }

    func number(ofForwarded packet: Region) -> Int? {
        let number: UInt64 = packet.load(4)
        return number < UInt64(count) ? Int(number) : nil
    }

    func acknowledgement(_ number: Int) -> Region {
        memory.region.slice(plan.packetBytes, Acknowledgements.byteCount)
    }
}

/// Packets of the right size that are none, of one neighbour.
final class JunkTraffic: LoadTraffic {
    private let plan: LoadPlan
    private let memory: Memory
    private var source: Source

    init(_ plan: LoadPlan) {
        self.plan = plan
        source = Source(seed: plan.seed &+ 2)
        memory = Memory(plan.packetBytes)
        source.fill(memory.region)
        // A ticket of zeros passes as long as the packet may end here: only the curve arithmetic
        // tells that it does not.
        memory.region.slice(plan.geometry.ticketOffset, Geometry.ticketBytes).fill(0)
    }

    var count: Int { .max }

    /// One under an alpha that was never used before.
    func packet(_ number: Int) -> Region {
        source.fill(memory.region.slice(0, Geometry.alphaBytes))
        return memory.region
    }

    func sender(_ number: Int) -> Int { plan.junkLink }
    func nextLink(_ number: Int) -> Int { -1 }
    func number(ofForwarded packet: Region) -> Int? { nil }
    func acknowledgement(_ number: Int) -> Region { memory.region }
}
