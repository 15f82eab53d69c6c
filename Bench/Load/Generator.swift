internal import Bytes
internal import CLoadIO
internal import Datapath
internal import Exchange
internal import Relay
internal import Sphinx

/// Sends the packets of a trace to the relay, each once, takes what comes out, and knows of every
/// one what became of it.
///
/// Runs in the calling thread.
struct Generator<Traffic: LoadTraffic> {
    /// Packets sent before what has come is looked at.
    private static var sendsPerTurn: Int { 256 }
    static var samplesMax: Int { 64 }
    private static var sampleEvery: UInt64 { 251 }
    /// Junk of a train, and trains of it that are sealed in advance.
    private static var junkPerTrain: Int { 42 }
    private static var junkTrains: Int { 4_000 }

    let traffic: Traffic
    let plan: LoadPlan
    let phase: LoadPhase
    let relay: LoadRelay
    let link: LoadLink
    private let trains: SealedTrains
    private let junk: JunkTraffic
    private let junkTrains: SealedTrains?
    private let junkMemory: Region
    private let memory: Memory
    /// When a packet was sent; 0 if it was not, `arrived` when it has come.
    private let sentNanos: Column<UInt64>
    let samples: Slab
    let sampled: Column<Int>
    var next = 0
    private var nextTrain = 0
    private var nextJunk = 0
    var sampleCount = 0
    var acksCame: UInt64 = 0
    var arrivedInAll: UInt64 = 0
    /// Packets that will not arrive, as far as the relay has told.
    private var forgotten: UInt64 = 0
    private var progressNanos: UInt64 = 0
    private var startNanos: UInt64 = 0
    private var openNanos = UInt64.max
    var result = LoadResult(name: "")
    var faults: [String: Int] = [:]
    /// The relay stops: whatever it still sends, nothing is sent to it any more.
    var hasEnded = false

    private static var arrived: UInt64 { .max }

    /// Makes everything ready that can be.
    init(
        _ traffic: Traffic,
        _ phase: LoadPhase,
        _ plan: LoadPlan,
        relay: LoadRelay,
        link: LoadLink
    ) throws(LoadError) {
        self.traffic = traffic
        self.plan = plan
        self.phase = phase
        self.relay = relay
        self.link = link
        let count = min(traffic.count, phase.packets)
        trains = try link.seal(traffic, count: count, perTrain: phase.perTrain)
        junk = JunkTraffic(plan)
        junkTrains =
            phase.hasJunk
            ? try link.seal(
                junk,
                count: Generator.junkPerTrain * Generator.junkTrains,
                perTrain: Generator.junkPerTrain
            ) : nil
        let sampleBytes = 2_048 * Generator.samplesMax
        memory = Memory(
            8 * count + sampleBytes + 8 * Generator.samplesMax + 2 * Port.trainBytesMax
        )
        var arena = Arena(memory.region)
        sentNanos = arena.column(UInt64.self, count)
        samples = Slab(region: arena.region(sampleBytes), stride: 2_048, offset: 64)
        sampled = arena.column(Int.self, Generator.samplesMax)
        junkMemory = arena.region(Port.trainBytesMax)
    }

    /// The phase, from the first packet until all are accounted for; stops the relay.
    mutating func run() throws(LoadError) -> LoadResult {
        result = LoadResult(name: phase.name)
        result.bySender = Array(repeating: 0, count: plan.senders)
        startNanos = Host.nanos()
        progressNanos = startNanos
        var now = startNanos
        let end = startNanos + phase.warmNanos + phase.nanos
        while now < end, nextTrain < trains.count {
            if openNanos == .max, now >= startNanos + phase.warmNanos { open(now) }
            send(phase.pace, now)
            if phase.hasJunk { try sendJunk() }
            try receive()
            relay.drain()
            try link.flushAcknowledgements(isIdle: isIdle(phase.pace))
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
            if outstanding + phase.perTrain > window { return forget(now) }
            send(min(window - outstanding, Generator.sendsPerTurn))
        case .rate(let rate):
            let due = Int(Double(now - startNanos) * rate / 1e9)
            guard due >= next + phase.perTrain else { return }
            let late = due - next - phase.perTrain
            result.lagNanos = max(result.lagNanos, UInt64(Double(late) * 1e9 / rate))
            send(min(due - next, Generator.sendsPerTurn))
        }
    }

    /// What the relay drops, or its socket loses, must not close the window for ever.
    private mutating func forget(_ now: UInt64) {
        guard now - progressNanos > 1_000_000 else { return }
        let lost = relay.socketDrops * UInt64(phase.perTrain)
        forgotten = lost + relay.ledger.dropped + relay.counters.value(Drop.frameLost)
        progressNanos = now
    }

    /// Sends trains of `count` packets at most together, but one at least.
    private mutating func send(_ count: Int) {
        let first = next
        repeat {
            let train = trains.train(nextTrain)
            link.send(train)
            nextTrain += 1
            next += train.packets
        } while nextTrain < trains.count && next - first + phase.perTrain <= count
        let now = Host.nanos()
        for number in first..<next { sentNanos[number] = now }
        link.flush()
    }

    /// A train of packets that are none; when those that were sealed are used up, another is.
    private mutating func sendJunk() throws(LoadError) {
        if let junkTrains, nextJunk < junkTrains.count {
            link.send(junkTrains.train(nextJunk))
        } else {
            let count = Generator.junkPerTrain
            try link.send(junk, first: nextJunk * count, count: count, into: junkMemory)
        }
        link.flush()
        nextJunk += 1
        result.junk += UInt64(Generator.junkPerTrain)
    }

    /// True if nothing is on its way and nothing due for a while.
    private func isIdle(_ pace: LoadPhase.Pace) -> Bool {
        guard case .rate(let rate) = pace, outstanding == 0 else { return false }
        let due = startNanos + UInt64(Double(next + phase.perTrain) * 1e9 / rate)
        return due > Host.nanos() + 500_000
    }

    // MARK: receiving

    mutating func receive() throws(LoadError) {
        for _ in 0..<(4 * Generator.sendsPerTurn) {
            guard let arrival = try link.next() else { return }
            switch arrival.kind {
            case .packet: try take(arrival)
            case .acknowledgements: acksCame += UInt64(arrival.acks)
            case .ping: break
            case .other: faults["arrivals that are nothing", default: 0] += 1
            }
        }
    }

    private mutating func take(_ arrival: LoadArrival) throws(LoadError) {
        guard let number = traffic.number(ofForwarded: arrival.bytes) else {
            return faults["packets that are none of ours", default: 0] += 1
        }
        let sent = number < sentNanos.count ? sentNanos[number] : 0
        guard traffic.nextLink(number) == arrival.link, sent != 0, sent != Generator.arrived else {
            return faults["packets at the wrong place, unsent or doubled", default: 0] += 1
        }
        sentNanos[number] = Generator.arrived
        arrivedInAll += 1
        progressNanos = arrival.nanos
        if !hasEnded {
            try link.acknowledge(traffic.acknowledgement(number), from: arrival.link)
        }
        if arrivedInAll % Generator.sampleEvery == 1 { sample(arrival.bytes, number) }
        guard arrival.nanos >= openNanos else { return }
        result.arrived += 1
        result.bySender[traffic.sender(number)] += 1
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
}
