internal import Datapath

// The whole relay, from little load to too much.
extension LoadSuite {
    mutating func relay(_ trace: LoadTrace) throws(LoadError) {
        guard !wantsOnly("bare", "io") else { return }
        let capacity = try saturate(trace)
        if wantsAny("latency") {
            var single = phase("1 %", .rate(capacity / 100))
            single.perTrain = 1
            single.nanos *= 2
            note(try run(trace, single).latency, "latency")
        }
        if wantsAny("half", "junk") {
            let half = try run(trace, phase("half", .rate(capacity / 2)))
            note(half.latency, "half_latency")
            var flooded = phase("half with junk", .rate(capacity / 2))
            flooded.hasJunk = true
            let junk = wantsAny("junk") ? try run(trace, flooded) : half
            note("junk_goodput", half.goodput > 0 ? junk.goodput / half.goodput : 0)
        }
        if wantsAny("overload") {
            let over = try run(trace, phase("three times", .rate(3 * capacity)))
            note("overload_goodput", capacity > 0 ? over.goodput / capacity : 0)
            note("overload_fairness", over.fairness)
            note("overload_latency_p99_us", Double(over.latency.quantile(0.99)) / 1e3)
        }
    }

    private func wantsOnly(_ beginnings: String...) -> Bool {
        !LoadSuite.figures.contains { name, _ in
            wants(name) && !beginnings.contains { name.hasPrefix("load.\($0)") }
        }
    }

    /// Returns what the relay can take, in packets a second.
    private mutating func saturate(_ trace: LoadTrace) throws(LoadError) -> Double {
        let full = try run(trace, phase("saturation", .window(window)))
        let capacity = full.goodput
        note("saturation_pps", capacity)
        note("cpu_ns", full.cpuNanosEach)
        note("lanes", full.lanes)
        note("syscalls", Double(full.calls) / Double(max(1, full.arrived)))
        note("memory_ratio", full.memoryRatio)
        note("allocations", Double(full.allocated))
        if let carried, ioNanos > 0, wantsAny("saturation_ratio") {
            let nanos = carried()
            say("relay without its network: \(Int(nanos)) ns")
            note("saturation_ratio", capacity * (nanos + ioNanos) / 1e9)
        }
        return capacity
    }

    private func phase(_ name: String, _ pace: LoadPhase.Pace) -> LoadPhase {
        LoadPhase(
            name: name,
            pace: pace,
            warmNanos: nanos / 8,
            nanos: nanos,
            perTrain: plan.run
        )
    }

    private mutating func note(_ latency: LatencyHistogram, _ name: String) {
        note("\(name)_p50_us", Double(latency.quantile(0.5)) / 1e3)
        note("\(name)_p99_us", Double(latency.quantile(0.99)) / 1e3)
    }

    /// A phase with a relay of its own, so that all packets are new to it.
    func run(_ traffic: some LoadTraffic, _ phase: LoadPhase) throws(LoadError) -> LoadResult {
        let result = try LoadRun.run(
            traffic,
            plan,
            phase,
            datagramBytes: datagramBytes,
            relayCPU: relayCPU,
            generatorCPU: generatorCPU
        )
        say(result.text)
        return result
    }
}
