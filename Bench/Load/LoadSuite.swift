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

    /// Measures the processor time that a packet takes without its network, in nanoseconds.
    public var carried: (() -> Double)?
    /// True for the names of figures that are wanted.
    public var wants: (String) -> Bool = { _ in true }

    private var values: [String: [Double]] = [:]
    private var bareRate = 0.0
    /// Processor time of a packet that is not read; 0 if it was not measured.
    var ioNanos = 0.0
    let say: (String) -> Void

    /// A suite; `say` is told what happens.
    public init(smoke: Bool, say: @escaping (String) -> Void) {
        plan = smoke ? .smoke : LoadPlan()
        repetitions = smoke ? 1 : 5
        nanos = smoke ? 100_000_000 : 1_500_000_000
        self.say = say
    }

    /// What is measured, in the order of the document, and in which unit.
    static let figures = [
        ("load.bare_ns", "ns"), ("load.bare_pps", "pps"), ("load.bare_latency_p50_us", "us"),
        ("load.bare_latency_p99_us", "us"), ("load.io_ns", "ns"), ("load.io_pps", "pps"),
        ("load.io_ratio", "share"), ("load.saturation_pps", "pps"),
        ("load.saturation_ratio", "share"), ("load.cpu_ns", "ns"),
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
        let measuresBare = wantsAny("bare", "io", "saturation_ratio")
        let usesLibcrypto = measuresBare ? try isLibcryptoFaster() : false
        for repetition in 0..<repetitions {
            say("load: repetition \(repetition + 1) of \(repetitions)")
            if measuresBare {
                try bare(usesLibcrypto)
                try unread()
            }
            try relay(trace)
        }
        return LoadSuite.figures.filter { values[$0.0] != nil && wants($0.0) }.map { name, unit in
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

    /// True if a figure is wanted whose name begins so.
    func wantsAny(_ beginnings: String...) -> Bool {
        LoadSuite.figures.contains { name, _ in
            wants(name) && beginnings.contains { name.hasPrefix("load.\($0)") }
        }
    }

    mutating func note(_ name: String, _ value: Double) {
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
        bareRate = full.rate
        say("bare forwarder: \(Int(full.rate)) a second")
        note("bare_ns", Double(full.cpuNanos) / Double(full.arrived))
        note("bare_pps", full.rate)
        note("bare_latency_p50_us", Double(calm.latency.quantile(0.5)) / 1e3)
        note("bare_latency_p99_us", Double(calm.latency.quantile(0.99)) / 1e3)
    }

    // MARK: the relay that reads nothing

    /// Packets of its trains: 30 datagrams are hardly longer than these.
    private static let unreadPerTrain = 29
    private static let unreadDatagrams = 30

    private mutating func unread() throws(LoadError) {
        let perTrain = LoadSuite.unreadPerTrain
        let traffic = UnreadTraffic(
            plan,
            count: Int(400_000 * Double(nanos) / 1e9) / perTrain * perTrain,
            perTrain: perTrain
        )
        let full = try run(
            traffic,
            LoadPhase(
                name: "unread",
                pace: .window(window),
                warmNanos: nanos / 8,
                nanos: nanos,
                perTrain: perTrain,
                isUnread: true
            )
        )
        ioNanos = full.cpuNanosEach
        note("io_ns", ioNanos)
        note("io_pps", full.goodput)
        // The bare forwarder knows datagrams alone.
        let packets = bareRate * Double(perTrain) / Double(LoadSuite.unreadDatagrams)
        note("io_ratio", packets > 0 ? full.goodput / packets : 0)
    }
}
