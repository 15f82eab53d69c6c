import Glibc
import Node

#if DRAY_JEMALLOC
import CJemalloc
#endif

extension Verb {
    static let run = Verb(
        name: "run",
        summary: "run a node: a relay, and an exit if it has targets",
        options: [config],
        example: "dray run --config /etc/dray/dray.toml",
        json: false,
        run: { arguments throws(Failure) in
            let configuration = try Failure.load(arguments)
            let code = try runNode(configuration)
            if code != 0 { throw Failure(code: code, message: "") }
        }
    )
}

/// Runs a node until it is told to stop.
func runNode(
    _ configuration: Configuration,
    entry: EntryOptions? = nil,
    answer: (@Sendable ([UInt8]?) -> Void)? = nil
) throws(Failure) -> Int32 {
    // Before any thread is there, so that all inherit what is blocked.
    let signals = Signals()
    guardMemory()
    do throws(StartError) {
        let daemon = try Daemon(configuration, probe: memoryInUse)
        return try daemon.run(signals: signals, entry: entry, answer: answer)
    } catch {
        throw Failure(code: error.code, message: error.description)
    }
}

/// What the allocator counts.
@Sendable private func memoryInUse() -> (allocated: Int, resident: Int)? {
    #if DRAY_JEMALLOC
    return (jemalloc_allocated(), jemalloc_resident())
    #else
    return nil
    #endif
}
