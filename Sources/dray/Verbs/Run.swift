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
        hidden: [
            Option(
                name: UpgradeCheck.option,
                value: "STAMP",
                help: "say whether this build could go on where a node with that state stopped"
            ),
            Option(
                name: UpgradeCheck.resumeOption,
                value: "DESCRIPTOR",
                help: "go on where the program that became this one stopped"
            ),
        ],
        example: "dray run --config /etc/dray/dray.toml",
        json: false,
        run: { arguments throws(Failure) in
            // Whatever was inherited has secrets in it.
            guardMemory()
            let resumption = arguments[UpgradeCheck.resumeOption].flatMap { Int32($0) }
                .map { Resumption(descriptor: $0) }
            let configuration = try Failure.load(arguments)
            if let stamp = arguments[UpgradeCheck.option] {
                let answer = UpgradeCheck.answer(configuration, stamp: stamp)
                print(answer.line)
                if !answer.isReady { throw Failure(code: 1, message: "") }
                return
            }
            let program = RunningProgram(
                path: Child.ourselves,
                arguments: ["run", "--config", configuration.file]
            )
            let code = try runNode(configuration, program: program, resumption: resumption)
            if code != 0 { throw Failure(code: code, message: "") }
        }
    )
}

/// Runs a node until it is told to stop.
func runNode(
    _ configuration: Configuration,
    program: RunningProgram? = nil,
    resumption: Resumption? = nil,
    entry: EntryOptions? = nil,
    answer: (@Sendable ([UInt8]?) -> Void)? = nil
) throws(Failure) -> Int32 {
    // Before any thread is there, so that all inherit what is blocked.
    let signals = Signals()
    guardMemory()
    do throws(StartError) {
        let daemon = try Daemon(configuration, resumption: resumption, probe: memoryInUse)
        return try daemon.run(signals: signals, program: program, entry: entry, answer: answer)
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
