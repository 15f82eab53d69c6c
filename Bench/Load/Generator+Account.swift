internal import Bytes
internal import Datapath
internal import Exchange
internal import Relay

// The end of a phase: nothing moves any more, and everything must add up.
extension Generator {
    /// What is waited for.
    private enum Goal {
        case taken
        case acknowledged
        case stopped
        case arrived
    }

    /// Datagrams that came to nobody: sent, and not taken within this time. A relay whose socket
    /// has dropped nothing gets more of it: perhaps its thread has no turn.
    private static var lostNanos: UInt64 { 300_000_000 }
    private static var patienceNanos: UInt64 { 10_000_000_000 }

    private func isReached(_ goal: Goal) -> Bool {
        switch goal {
        case .taken: relay.taken == link.counts.sent
        case .acknowledged: relay.awaited == 0
        case .stopped: relay.isDone
        case .arrived: link.counts.received == relay.given
        }
    }

    private mutating func wait(for goal: Goal, nanos: UInt64) throws(LoadError) {
        let end = Host.nanos() + nanos
        while !isReached(goal), Host.nanos() < end { try attend() }
    }

    private mutating func attend() throws(LoadError) {
        try receive()
        relay.drain()
        if !hasEnded { try link.flushAcknowledgements(isIdle: true) }
    }

    /// Waits until the relay has taken all there is.
    private mutating func waitUntilTaken() throws(LoadError) {
        var (taken, since) = (relay.taken, Host.nanos())
        while !isReached(.taken) {
            let hasLost = relay.socketDrops > 0
            let limit = hasLost ? Generator.lostNanos : Generator.patienceNanos
            guard Host.nanos() < since + limit else { return }
            try attend()
            if relay.taken != taken { (taken, since) = (relay.taken, Host.nanos()) }
        }
    }

    /// Waits until nothing moves any more, stops the relay, and adds everything up.
    mutating func finish() throws(LoadError) {
        try waitUntilTaken()
        try wait(for: .acknowledged, nanos: 3_000_000_000)
        try waitUntilTaken()
        hasEnded = true
        relay.stop()
        try wait(for: .stopped, nanos: 3_000_000_000)
        try wait(for: .arrived, nanos: 300_000_000)
        relay.drain()
        result.sentInAll = UInt64(next) + result.junk
        result.lost = link.counts.sent &- relay.taken
        result.lostHere = relay.given &- link.counts.received
        result.drops = relay.drops
        result.given = relay.given
        result.trains = relay.trains
        result.allocated = relay.allocated
        try account()
    }

    /// Every packet must be accounted for.
    private func account() throws(LoadError) {
        let (counts, ledger) = (link.counts, relay.ledger)
        var checks = LoadChecks()
        for fault in faults { checks.lines.append("\(fault.key): \(fault.value)") }
        checks.lines += relay.faults
        checks.equal("datagrams that the kernel did not take", counts.refused, 0)
        checks.equal("datagrams that did not open", counts.closed, 0)
        checks.lost("datagrams on their way to the relay", result.lost, by: relay.socketDrops)
        checks.lost("datagrams on their way from it", result.lostHere, by: counts.dropped)
        let lost = result.lost &+ relay.closed
        checks.packets("taken", ledger.received, of: result.sentInAll, lost: lost)
        checks.packets("came", arrivedInAll, of: ledger.sent, lost: result.lostHere)
        let acksOut = relay.counters.value(.acksOut)
        if result.lostHere == 0 { checks.equal("acknowledgements that came", acksCame, acksOut) }
        let acksIn = relay.counters.value(.acksIn)
        if lost == 0 { checks.equal("acknowledgements taken", acksIn, counts.acks) }
        checks.lines += sampleFaults()
        guard checks.lines.isEmpty else {
            throw LoadError(
                "\(result.name): not every packet is accounted for\n"
                    + checks.lines.joined(separator: "\n")
            )
        }
    }

    /// What next hops have against the packets that were kept.
    private func sampleFaults() -> [String] {
        guard let trace = traffic as? LoadTrace else { return [] }
        let known = min(sampleCount, Generator.samplesMax)
        return NextHopCheck(relay.network, trace).faults(samples, sampled, count: known)
    }
}

/// What does not add up, a line each.
struct LoadChecks {
    var lines: [String] = []

    mutating func equal(_ what: String, _ left: UInt64, _ right: UInt64) {
        if left != right { lines.append("\(what): \(left), not \(right)") }
    }

    /// A socket counts what it dropped by arrivals: trains of up to 64 datagrams.
    mutating func lost(_ what: String, _ datagrams: UInt64, by arrivals: UInt64) {
        if datagrams < arrivals || datagrams > 64 * arrivals {
            lines.append("\(what): \(datagrams) missing, \(arrivals) arrivals dropped")
        }
    }

    /// A datagram has bytes of two packets at most.
    mutating func packets(_ what: String, _ count: UInt64, of all: UInt64, lost: UInt64) {
        if count > all || count + 2 * lost < all {
            lines.append("packets that \(what): \(count) of \(all), \(lost) datagrams lost")
        }
    }
}
