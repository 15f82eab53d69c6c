internal import Bytes

/// What the generator does for a while.
struct LoadPhase {
    /// When a packet is sent.
    enum Pace {
        /// As soon as fewer are on their way: finds out what the relay can take.
        case window(Int)
        /// So many a second, whatever becomes of them.
        case rate(Double)
    }

    var name: String
    var pace: Pace
    /// Time before anything is measured.
    var warmNanos: UInt64
    /// Time that is measured; less if the packets are used up before.
    var nanos: UInt64
    /// Packets of a train.
    var perTrain = 8
    /// Most packets that are made ready.
    var packets = Int.max
    /// One neighbour sends junk, as fast as it can.
    var hasJunk = false
    /// The relay reads no packet.
    var isUnread = false
}

/// What a phase has shown.
struct LoadResult {
    /// The phase's.
    var name: String
    /// Time measured.
    var nanos: UInt64 = 0
    /// In that time: packets sent, and packets that arrived.
    var sent: UInt64 = 0
    var arrived: UInt64 = 0
    /// Arrived, by sender.
    var bySender: [UInt64] = []
    /// From sending to arrival, of packets sent in that time.
    var latency = LatencyHistogram()
    /// Processor time of the relay's thread in that time.
    var cpuNanos: UInt64 = 0
    /// System calls of the relay in that time.
    var calls: UInt64 = 0
    /// Lanes of the curve arithmetic in that time.
    var lanesUsed: UInt64 = 0
    var lanesRun: UInt64 = 0
    /// How far the generator was behind its pace, at worst.
    var lagNanos: UInt64 = 0
    /// In the whole phase: all packets sent, junk among them.
    var sentInAll: UInt64 = 0
    var junk: UInt64 = 0
    /// Datagrams that the relay's socket lost, and what it dropped, by reason.
    var lost: UInt64 = 0
    var drops: [(reason: Drop, count: UInt64)] = []
    /// Datagrams that the relay sent, and trains of them.
    var given: UInt64 = 0
    var trains: UInt64 = 0
    /// Datagrams that the generator's own socket lost.
    var lostHere: UInt64 = 0
    /// Bytes that the relay's thread has allocated since it was warm.
    var allocated = 0
    /// Bytes of memory: what the process took for it, and what it is configured to take.
    var residentBytes: UInt64 = 0
    var configuredBytes: UInt64 = 0

    /// Processor time of the relay for a packet that arrived.
    var cpuNanosEach: Double { Double(cpuNanos) / Double(max(1, arrived)) }

    /// Packets that arrived in a second.
    var goodput: Double { perSecond(arrived) }
    /// Packets sent in a second.
    var offered: Double { perSecond(sent) }

    private func perSecond(_ count: UInt64) -> Double {
        nanos == 0 ? 0 : Double(count) * 1e9 / Double(nanos)
    }

    /// The least sender's share of what arrived, against an equal share.
    var fairness: Double {
        guard let least = bySender.min(), arrived > 0 else { return 0 }
        return Double(least) * Double(bySender.count) / Double(arrived)
    }

    /// Lanes used of the lanes run.
    var lanes: Double { Double(lanesUsed) / Double(max(1, lanesRun)) }

    /// Memory that the process took for the relay, against what it is configured to take.
    var memoryRatio: Double { Double(residentBytes) / Double(max(1, configuredBytes)) }

    /// One line for whoever waits.
    var text: String {
        let loss = drops.map { "\($0.reason) \($0.count)" } + (lost > 0 ? ["socket \(lost)"] : [])
        let times = [0.5, 0.99].map { "\(latency.quantile($0) / 1_000)" }.joined(separator: "/")
        return "\(name): offered \(Int(offered)) a second, forwarded \(Int(goodput)), "
            + "p50/p99 \(times) µs, lost: \(loss.isEmpty ? "none" : loss.joined(separator: ", "))"
            + " of \(sentInAll)" + (junk > 0 ? " with \(junk) junk" : "")
            + (lostHere > 0 ? ", generator lost \(lostHere)" : "")
            + ", \(Int(cpuNanosEach)) ns each, busy \(cpuNanos * 100 / max(1, nanos)) %"
            + ", \(given) datagrams out in \(trains) trains"
            + (lagNanos > 5_000_000 ? ", generator late by \(lagNanos / 1_000_000) ms" : "")
    }
}
