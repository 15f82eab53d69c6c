internal import Datapath
public import Harness

/// The `load` suite: a relay and a generator on a core each, and beside them a forwarder that does
/// nothing but forward.
public struct LoadSuite {
    /// Who takes part, and where the packets are kept.
    public var plan: LoadPlan
    /// Where the packets are kept.
    public var folder = ".build/load"
    /// CPU of the relay and of the bare forwarder.
    public var relayCPU = 0
    /// CPU of the generator: of the calling thread.
    public var generatorCPU = 1
    /// Bytes of a datagram of the bare forwarder.
    public var datagramBytes = 1_452
    /// How often everything is measured.
    public var repetitions: Int
    /// Time of each measurement.
    public var nanos: UInt64
    /// Packets on their way while the relay is saturated.
    public var window = 512

    private var values: [String: [Double]] = [:]
    private let say: (String) -> Void

    /// A suite; `say` is told what happens.
    public init(smoke: Bool, say: @escaping (String) -> Void) {
        plan = smoke ? .smoke : LoadPlan()
        repetitions = smoke ? 1 : 5
        nanos = smoke ? 100_000_000 : 1_500_000_000
        self.say = say
    }

    /// What is measured, in the order of the document, and in which unit.
    private static let figures = [
        ("load.bare_ns", "ns"), ("load.bare_pps", "pps"), ("load.bare_latency_p50_us", "us"),
        ("load.bare_latency_p99_us", "us"), ("load.saturation_pps", "pps"), ("load.cpu_ns", "ns"),
        ("load.lanes", "share"), ("load.syscalls", "calls"), ("load.latency_p50_us", "us"),
        ("load.latency_p99_us", "us"), ("load.half_latency_p50_us", "us"),
        ("load.half_latency_p99_us", "us"), ("load.overload_goodput", "share"),
        ("load.overload_fairness", "share"), ("load.overload_latency_p99_us", "us"),
        ("load.junk_goodput", "share"), ("load.memory_ratio", "ratio"),
        ("load.allocations", "bytes"),
    ]

    /// Measures everything.
    public mutating func run() throws(LoadError) -> [Measurement] {
        guard relayCPU != generatorCPU, Host.hasCPU(relayCPU), Host.hasCPU(generatorCPU) else {
            throw LoadError("load needs two CPUs: \(relayCPU) and \(generatorCPU)")
        }
        let trace = try LoadTrace.open("\(folder)/\(plan.fileName)", plan, say: say)
        let usesLibcrypto = try isLibcryptoFaster()
        for repetition in 0..<repetitions {
            say("load: repetition \(repetition + 1) of \(repetitions)")
            try bare(usesLibcrypto)
            try relay(trace)
        }
        return LoadSuite.figures.map { name, unit in
            Measurement(
                name: name,
                unit: unit,
                batch: 1,
                values: values[name] ?? [],
                ratios: [],
                checksum: 0
            )
        }
    }

    private mutating func note(_ name: String, _ value: Double) {
        values["load.\(name)", default: []].append(value)
    }

    // MARK: the bare forwarder

    private func isLibcryptoFaster() throws(LoadError) -> Bool {
        var nanos: [Double] = []
        for usesLibcrypto in [false, true] {
            let bare = try forwarder(usesLibcrypto)
            let outcome = try LoadThread.pinned(generatorCPU) { () throws(LoadError) in
                try bare.saturate(window: window, nanos: 200_000_000)
            }
            nanos.append(Double(outcome.cpuNanos) / Double(max(1, outcome.arrived)))
        }
        say("bare forwarder: \(Int(nanos[0])) ns with libsodium, \(Int(nanos[1])) with libcrypto")
        return nanos[1] < nanos[0]
    }

    private func forwarder(_ usesLibcrypto: Bool) throws(LoadError) -> BareLoad {
        try BareLoad(
            plan,
            datagramBytes: datagramBytes,
            usesLibcrypto: usesLibcrypto,
            cpu: relayCPU
        )
    }

    private mutating func bare(_ usesLibcrypto: Bool) throws(LoadError) {
        let bare = try forwarder(usesLibcrypto)
        let (full, calm) = try LoadThread.pinned(generatorCPU) { () throws(LoadError) in
            let full = try bare.saturate(window: window, nanos: nanos)
            return (full, try bare.pace(rate: full.rate / 100, nanos: nanos))
        }
        note("bare_ns", Double(full.cpuNanos) / Double(full.arrived))
        note("bare_pps", full.rate)
        note("bare_latency_p50_us", Double(calm.latency.quantile(0.5)) / 1e3)
        note("bare_latency_p99_us", Double(calm.latency.quantile(0.99)) / 1e3)
    }

    // MARK: the relay

    private mutating func relay(_ trace: LoadTrace) throws(LoadError) {
        let full = try phase(trace, "saturation", .window(window))
        let capacity = full.goodput
        note("saturation_pps", capacity)
        note("cpu_ns", Double(full.cpuNanos) / Double(max(1, full.arrived)))
        note("lanes", full.lanes)
        note("syscalls", Double(full.calls) / Double(max(1, full.arrived)))
        note("memory_ratio", full.memoryRatio)
        note("allocations", Double(full.allocated))

        let calm = try phase(trace, "1 %", .rate(capacity / 100), times: 2)
        note(calm.latency, "latency")
        let half = try phase(trace, "half", .rate(capacity / 2))
        note(half.latency, "half_latency")
        let junk = try phase(trace, "half with junk", .rate(capacity / 2), hasJunk: true)
        note("junk_goodput", half.goodput > 0 ? junk.goodput / half.goodput : 0)
        let over = try phase(trace, "three times", .rate(3 * capacity))
        note("overload_goodput", capacity > 0 ? over.goodput / capacity : 0)
        note("overload_fairness", over.fairness)
        note("overload_latency_p99_us", Double(over.latency.quantile(0.99)) / 1e3)
    }

    private mutating func note(_ latency: LatencyHistogram, _ name: String) {
        note("\(name)_p50_us", Double(latency.quantile(0.5)) / 1e3)
        note("\(name)_p99_us", Double(latency.quantile(0.99)) / 1e3)
    }

    /// A phase with a relay of its own, so that all packets are new to it.
    private func phase(
        _ trace: LoadTrace,
        _ name: String,
        _ pace: LoadPhase.Pace,
        times: UInt64 = 1,
        hasJunk: Bool = false
    ) throws(LoadError) -> LoadResult {
        let result = try LoadRun.run(
            trace,
            LoadPhase(
                name: name,
                pace: pace,
                warmNanos: nanos / 8,
                nanos: times * nanos,
                hasJunk: hasJunk
            ),
            relayCPU: relayCPU,
            generatorCPU: generatorCPU
        )
        say(result.text)
        return result
    }
}
