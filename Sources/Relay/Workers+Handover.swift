internal import Bytes
public import Datapath
internal import Engine
internal import Exchange
internal import Link
internal import Sphinx

extension Workers {
    /// Asks all workers to stop where they are, each between two packets. Poll `isDone`, then
    /// `handOver`.
    public func suspend() {
        for index in 0..<count {
            threads[index].board.suspend()
            wake(index)
        }
    }

    /// True if all workers are suspended.
    public var isSuspended: Bool { threads.allSatisfy { $0.board.state == .suspended } }

    /// What suspended workers left; once. Nil if one of them has ended otherwise.
    public func handOver() throws(DatapathError) -> [WorkerHandover]? {
        guard isSuspended else { return nil }
        var all: [WorkerHandover] = []
        for index in 0..<count {
            guard let left = threads[index].takeLeft() else { return nil }
            all.append(
                WorkerHandover(
                    socket: left.socket,
                    memory: left.memory,
                    rings: try memory[index].share()
                )
            )
        }
        return all
    }

    /// Tickets that wait for their acknowledgement in what suspended workers left, by channel.
    public func ticketsAwaited(
        _ handovers: [WorkerHandover]
    ) throws(DatapathError) -> [UInt32: UInt64] {
        var config = plan.config
        config.engine.workers = plan.count
        var sums: [UInt32: UInt64] = [:]
        for handover in handovers {
            let bytes = config.byteCount(links: plan.links.size)
            let pages = try SharedPages(adopting: try handover.shareMemory(), byteCount: bytes)
            var arena = Arena(pages.region)
            let memory = WorkerMemory(&arena, config, links: plan.links.size)
            let counts = Engine.ticketsAwaited(in: memory.engine, config: config.engine)
            sums.merge(counts, uniquingKeysWith: +)
            withExtendedLifetime(pages) {}
        }
        return sums
    }
}

extension Workers.Plan {
    /// Digest of how the memory of workers and their rings is divided: what some left, others can
    /// go on with if the digests are the same.
    public var layout: UInt64 {
        var config = config
        config.engine.workers = count
        var arena = Arena()
        _ = WorkerRings(&arena, RingSizes(self))
        arena.note(config.layout(links: links.size))
        arena.note(UInt64(count))
        return arena.layout
    }
}
