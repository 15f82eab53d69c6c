internal import CLoadIO

/// Puts generator, links and relay together for one phase.
enum LoadRun {
    /// Runs a phase; without CPUs the threads run anywhere.
    static func run(
        _ trace: LoadTrace,
        _ phase: LoadPhase,
        relayCPU: Int? = nil,
        generatorCPU: Int? = nil
    ) throws(LoadError) -> LoadResult {
        let socket = try LoadSocket(segments: trace.plan.run, bufferBytes: 8 << 20)
        let network = LoadNetwork(trace.plan, port: socket.port)
        let residentBefore = load_resident()
        let relay = try LoadRelay(network, cpu: relayCPU)
        let link = ClearLoadLink(network, socket: socket, port: relay.port)
        var generator = Generator(trace, network, relay: relay, link: link)
        var result = try LoadThread.pinned(generatorCPU) { () throws(LoadError) in
            try generator.run(phase)
        }
        result.residentBytes -= min(result.residentBytes, residentBefore)
        return result
    }
}
