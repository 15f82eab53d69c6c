public import Sphinx

/// Who takes part in a load run, and the packets that are made for it.
public struct LoadPlan: Equatable, Sendable {
    /// Sizes of the packets.
    public var geometry = Geometry.head
    /// Neighbours that send packets, each in a channel of its own.
    public var senders = 32
    /// How many of the senders, the last ones, send twice as much as the others.
    public var heavySenders = 16
    /// Neighbours that packets are for, each paid in a channel of its own.
    public var nextHops = 8
    /// Packets that one sender sends in a row.
    public var run = 8
    /// Packets to make; rounded up to whole rounds, in each of which every sender has its share.
    public var packets = 300_000
    /// What keys and packets are drawn from.
    public var seed: UInt64 = 1

    /// The plan of a full run.
    public init() {}

    /// A plan for a run that only shows that everything works.
    public static var smoke: LoadPlan {
        var plan = LoadPlan()
        plan.senders = 6
        plan.heavySenders = 3
        plan.nextHops = 4
        plan.packets = 8_000
        return plan
    }

    /// Senders of a round, each as often as it has batches in it.
    var batches: [Int] {
        Array(0..<senders) + Array((senders - heavySenders)..<senders)
    }

    /// Packets of a round.
    var roundPackets: Int { batches.count * LoadPlan.batch }

    /// Rounds that give enough packets.
    var rounds: Int { (packets + roundPackets - 1) / roundPackets }

    /// Packets that are built together, all of one sender.
    static let batch = 64

    /// Bytes of a packet.
    var packetBytes: Int { geometry.packetBytes }

    /// Links of the relay: senders, next hops, and the neighbour that sends junk.
    public var links: Int { senders + nextHops + 1 }

    /// Link of a next hop.
    public func link(nextHop: Int) -> Int { senders + nextHop }

    /// Link of the neighbour that sends junk.
    public var junkLink: Int { senders + nextHops }

    /// Name of the file that holds the packets.
    var fileName: String { "\(senders)-\(nextHops)-\(packets).trace" }

    /// Everything that packets depend on, as text.
    var signature: String {
        "dray load 1 \(geometry) \(senders) \(heavySenders) \(nextHops) \(run) \(packets) \(seed)"
    }
}
