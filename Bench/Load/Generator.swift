internal import Bytes
internal import CLoadIO
internal import Datapath
internal import Exchange
internal import Sphinx

/// Sends the packets of a trace to the relay, each once, takes what comes out, and knows of every
/// one what became of it.
///
/// Runs in the calling thread.
struct Generator<Link: LoadLink & ~Copyable>: ~Copyable {
    /// Packets sent before what has come is looked at.
    private static var sendsPerTurn: Int { 256 }
    private static var samplesMax: Int { 64 }
    private static var sampleEvery: UInt64 { 251 }

    private let trace: LoadTrace
    private let network: LoadNetwork
    private let relay: LoadRelay
    private var link: Link
    private let memory: Memory
    /// When a packet was sent; 0 if it was not, `arrived` when it has come.
    private let sentNanos: Column<UInt64>
    private let samples: Slab
    private let sampled: Column<Int>
    private var junkSource = Source(seed: 3)
    private let junk: Region

    private var next = 0
    private var sampleCount = 0
    private var acksCame: UInt64 = 0
    private var arrivedInAll: UInt64 = 0
    /// Packets that will not arrive, as far as the relay has told.
    private var forgotten: UInt64 = 0
    private var progressNanos: UInt64 = 0
    private var startNanos: UInt64 = 0
    private var openNanos = UInt64.max
    private var result = LoadResult(name: "")
    private var faults: [String: Int] = [:]

    private static var arrived: UInt64 { .max }

    init(_ trace: LoadTrace, _ network: LoadNetwork, relay: LoadRelay, link: consuming Link) {
        self.trace = trace
        self.network = network
        self.relay = relay
        self.link = link
        let sampleBytes = 2_048 * Generator.samplesMax
        let junkBytes = trace.plan.packetBytes * Int(LOAD_SEGMENTS_MAX)
        memory = Memory(
            8 * trace.count + sampleBytes + 8 * Generator.samplesMax + junkBytes + 4_096
        )
        var arena = Arena(memory.region)
        sentNanos = arena.column(UInt64.self, trace.count)
        samples = Slab(region: arena.region(sampleBytes), stride: 2_048, offset: 64)
        sampled = arena.column(Int.self, Generator.samplesMax)
        junk = arena.region(junkBytes)
        junkSource.fill(junk)
        let bytes = trace.plan.packetBytes
        for number in 0..<Int(LOAD_SEGMENTS_MAX) {
            // A ticket of zeros passes as long as the packet may end here: only the curve
            // arithmetic tells that it does not.
            let place = number * bytes + trace.plan.geometry.ticketOffset
            junk.slice(place, Geometry.ticketBytes).fill(0)
        }
    }

    /// One phase, from the first packet until all are accounted for; stops the relay.
    mutating func run(_ phase: LoadPhase) throws(LoadError) -> LoadResult {
        result = LoadResult(name: phase.name)
        result.bySender = Array(repeating: 0, count: trace.plan.senders)
        startNanos = Host.nanos()
        progressNanos = startNanos
        var now = startNanos
        let end = startNanos + phase.warmNanos + phase.nanos
        while now < end, next < trace.count {
            if openNanos == .max, now >= startNanos + phase.warmNanos { open(now) }
            send(phase.pace, now)
            if phase.hasJunk { sendJunk() }
            try receive()
            relay.drain()
            link.flushAcknowledgements(isIdle: isIdle(phase.pace))
            now = Host.nanos()
        }
        close(now)
        try finish()
        return result
    }

    // MARK: sending

    /// Packets on their way.
    private var outstanding: Int { max(0, next - Int(arrivedInAll + forgotten)) }

    private mutating func send(_ pace: LoadPhase.Pace, _ now: UInt64) {
        switch pace {
        case .window(let window):
            if outstanding + trace.plan.run > window { return forget(now) }
            send(min(window - outstanding, Generator.sendsPerTurn))
        case .rate(let rate):
            let due = Int(Double(now - startNanos) * rate / 1e9)
            guard due > next else { return }
            result.lagNanos = max(result.lagNanos, UInt64(Double(due - next) * 1e9 / rate))
            send(min(due - next, Generator.sendsPerTurn))
        }
    }

    /// What the relay drops, or its socket loses, must not close the window for ever.
    private mutating func forget(_ now: UInt64) {
        guard now - progressNanos > 1_000_000 else { return }
        forgotten = relay.lost + relay.drops.reduce(0) { $0 + $1.count }
        progressNanos = now
    }

    private mutating func send(_ count: Int) {
        let first = next
        next = min(next + count, trace.count)
        for number in first..<next {
            link.send(trace.packet(number), from: Int(trace.rows[number].sender))
        }
        let now = Host.nanos()
        for number in first..<next { sentNanos[number] = now }
        link.flush()
    }

    /// A train of packets that are none, under alphas that were never used before.
    private mutating func sendJunk() {
        let bytes = trace.plan.packetBytes
        for number in 0..<Int(LOAD_SEGMENTS_MAX) {
            let packet = junk.slice(number * bytes, bytes)
            junkSource.fill(packet.slice(0, Geometry.alphaBytes))
            link.send(packet, from: trace.plan.junkLink)
        }
        link.flush()
        result.junk += UInt64(LOAD_SEGMENTS_MAX)
    }

    /// True if nothing is on its way and nothing due for a while.
    private func isIdle(_ pace: LoadPhase.Pace) -> Bool {
        guard case .rate(let rate) = pace, outstanding == 0 else { return false }
        let due = startNanos + UInt64(Double(next + 1) * 1e9 / rate)
        return due > Host.nanos() + 500_000
    }

    // MARK: receiving

    private mutating func receive() throws(LoadError) {
        for _ in 0..<(4 * Generator.sendsPerTurn) {
            guard let arrival = try link.next() else { return }
            switch arrival.kind {
            case .packet: take(arrival)
            case .acknowledgements: acksCame += 1
            case .other: faults["arrivals that are nothing", default: 0] += 1
            }
        }
    }

    private mutating func take(_ arrival: LoadArrival) {
        guard let number = trace.number(ofForwarded: arrival.bytes) else {
            return faults["packets that are none of ours", default: 0] += 1
        }
        let row = trace.rows[number]
        let sent = sentNanos[number]
        guard Int(row.nextLink) == arrival.link, sent != 0, sent != Generator.arrived else {
            return faults["packets at the wrong place, unsent or doubled", default: 0] += 1
        }
        sentNanos[number] = Generator.arrived
        arrivedInAll += 1
        progressNanos = arrival.nanos
        link.acknowledge(trace.acknowledgement(number), from: arrival.link)
        if arrivedInAll % Generator.sampleEvery == 1 { sample(arrival.bytes, number) }
        guard arrival.nanos >= openNanos else { return }
        result.arrived += 1
        result.bySender[Int(row.sender)] += 1
        if sent >= openNanos { result.latency.add(arrival.nanos - sent) }
    }

    /// Keeps a packet to be looked at later; the last ones stay.
    private mutating func sample(_ packet: Region, _ number: Int) {
        let place = sampleCount % Generator.samplesMax
        samples.packet(UInt32(place), packet.byteCount).copy(packet, to: 0)
        sampled[place] = number
        sampleCount += 1
    }

    // MARK: what is measured

    private var firstSent: UInt64 = 0
    private var before = Counted()

    /// What the relay counts, and only its growth matters.
    private struct Counted {
        var cpuNanos: UInt64 = 0
        var calls: UInt64 = 0
        var lanesUsed: UInt64 = 0
        var lanesRun: UInt64 = 0
    }

    private var counted: Counted {
        Counted(
            cpuNanos: relay.cpuNanos,
            calls: relay.calls,
            lanesUsed: relay.counters.value(.lanesUsed),
            lanesRun: relay.counters.value(.lanesRun)
        )
    }

    private mutating func open(_ now: UInt64) {
        openNanos = now
        firstSent = UInt64(next)
        before = counted
    }

    private mutating func close(_ now: UInt64) {
        if openNanos == .max { open(now) }
        let after = counted
        result.nanos = now - openNanos
        result.sent = UInt64(next) - firstSent
        result.cpuNanos = after.cpuNanos - before.cpuNanos
        result.calls = after.calls - before.calls
        result.lanesUsed = after.lanesUsed - before.lanesUsed
        result.lanesRun = after.lanesRun - before.lanesRun
        result.residentBytes = load_resident()
        result.configuredBytes = UInt64(relay.configuredBytes)
        // What comes now comes late.
        openNanos = .max
    }

    // MARK: the end

    /// What is waited for at the end.
    private enum Goal {
        case taken
        case acknowledged
        case stopped
        case arrived
    }

    private func isReached(_ goal: Goal) -> Bool {
        let counts = link.counts
        let isTaken = relay.taken + relay.lost == counts.sent
        return switch goal {
        case .taken: isTaken
        case .acknowledged: isTaken && relay.awaited == 0
        case .stopped: relay.isDone
        case .arrived: counts.received + counts.dropped == relay.given
        }
    }

    private mutating func wait(for goal: Goal, nanos: UInt64 = 3_000_000_000) throws(LoadError) {
        let end = Host.nanos() + nanos
        while !isReached(goal), Host.nanos() < end {
            try receive()
            relay.drain()
            link.flushAcknowledgements(isIdle: true)
        }
    }

    /// Waits until nothing moves any more, stops the relay, and adds everything up.
    private mutating func finish() throws(LoadError) {
        try wait(for: .taken)
        link.finishAcknowledgements()
        try wait(for: .acknowledged)
        relay.stop()
        try wait(for: .stopped)
        try wait(for: .arrived, nanos: 200_000_000)
        relay.drain()
        result.sentInAll = UInt64(next) + result.junk
        result.lost = relay.lost
        result.lostHere = link.counts.dropped
        result.drops = relay.drops
        result.allocated = relay.allocated
        try account()
    }

    /// Every packet must be accounted for.
    private mutating func account() throws(LoadError) {
        var lines = faults.map { "\($0.key): \($0.value)" } + relay.faults
        func check(_ what: String, _ left: UInt64, _ right: UInt64) {
            if left != right { lines.append("\(what): \(left), not \(right)") }
        }
        let counts = link.counts
        check("datagrams that the kernel did not take", counts.refused, 0)
        check("taken or lost by the relay of what was sent", relay.taken + relay.lost, counts.sent)
        check(
            "arrived or lost of what the relay sent",
            counts.received + counts.dropped,
            relay.given
        )
        // What our own socket lost may have been packets or acknowledgements.
        let missing = relay.forwarded &- arrivedInAll
        check(
            "neither arrived nor lost of what was forwarded",
            min(missing, counts.dropped),
            missing
        )
        let known = min(sampleCount, Generator.samplesMax)
        lines += NextHopCheck(network, trace).faults(samples, sampled, count: known)
        guard lines.isEmpty else {
            throw LoadError(
                "\(result.name): not every packet is accounted for\n"
                    + lines.joined(separator: "\n")
            )
        }
    }
}
