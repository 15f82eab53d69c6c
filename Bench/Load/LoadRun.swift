internal import CLoadIO

/// Puts generator, links and relay together for one phase.
enum LoadRun {
    /// Runs a phase; without CPUs the threads run anywhere.
    static func run(
        _ traffic: some LoadTraffic,
        _ plan: LoadPlan,
        _ phase: LoadPhase,
        datagramBytes: Int = 1_452,
        relayCPU: Int? = nil,
        generatorCPU: Int? = nil
    ) throws(LoadError) -> LoadResult {
        let socket = try LoadSocket(segments: 1, bufferBytes: 64 << 20)
        let network = LoadNetwork(plan, port: socket.port)
        let before = load_resident()
        let relay = try LoadRelay(
            network,
            datagramBytes: datagramBytes,
            isUnread: phase.isUnread,
            cpu: relayCPU
        )
        let made = load_resident()
        let link = LoadLink(
            network,
            relay.sessions,
            socket: socket,
            port: relay.port,
            datagramBytes: datagramBytes
        )
        var result = try LoadThread.pinned(generatorCPU) { () throws(LoadError) in
            var generator = try Generator(traffic, phase, plan, relay: relay, link: link)
            let ready = load_resident()
            var result = try generator.run()
            // What the generator took in between is not the relay's.
            result.residentBytes -= min(result.residentBytes, before + (ready - min(ready, made)))
            return result
        }
        result.name = phase.name
        return result
    }
}
