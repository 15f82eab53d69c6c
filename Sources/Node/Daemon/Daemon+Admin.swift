internal import Bytes
internal import Chain
internal import Channels
internal import Crypto
internal import Exchange
internal import Gateway
internal import JSON
internal import Link
internal import Sphinx
internal import Store
internal import Synchronization

extension Daemon {
    /// Answers the admin socket.
    func serve(_ request: AdminRequest) throws(AdminError) -> JSON {
        switch request {
        case .status: return statusDocument
        case .channels:
            return [
                "channels": .array(
                    runtime.channels.map { $0.document(nextIndex: books.nextIndex($0.slot)) }
                )
            ]
        case .tickets:
            return ["channels": .array(runtime.channels.compactMap(\.ticketsDocument))]
        case .openChannel(let to, let amount), .fundChannel(let to, let amount):
            try perform(.fund(destination: to, amount: amount))
            return ["to": .string("0x\(to.hex)"), "amount": .string("\(amount)")]
        case .closeChannel(let to): return try close(to)
        case .redeem:
            runtime.redeemAll()
            return ["unredeemed": .integer(runtime.unfinished.unsettled)]
        case .reload:
            reload()
            return [:]
        case .upgrade(let binary, let waitMillis):
            return try prepareUpgrade(binary, millis: waitMillis)
        case .beginTrace(let wish):
            try trace.begin(wish, packetBytes: geometry.packetBytes) { [weak self] in
                self?.threads
            }
            return ["file": .string(wish.file)]
        case .traceState(let file): return try trace.ask(file)
        case .endTrace(let file): return try trace.end(file)
        }
    }

    /// Gives notice; closes when the notice period is over.
    private func close(_ to: Address) throws(AdminError) -> JSON {
        let found = runtime.channels.first {
            $0.direction == .outgoing && $0.channel.destination == to
        }
        guard let channel = found?.channel else { throw AdminError("no channel to 0x\(to.hex)") }
        let isNoticed = channel.status == .pendingToClose
        try perform(isNoticed ? .close(destination: to) : .notice(destination: to))
        return [
            "to": .string("0x\(to.hex)"),
            "status": .string(isNoticed ? "closed" : "pendingToClose"),
        ]
    }

    private func perform(_ operation: Operation) throws(AdminError) {
        do throws(ChannelError) {
            try runtime.perform(operation, timeoutMillis: 4_000)
        } catch {
            throw AdminError(error.description)
        }
    }

    private var statusDocument: JSON {
        let threads = threads
        let sums = self.sums
        let workers = threads?.statuses ?? []
        let counts = gateway.counts
        let memory = probe()
        let own = press.world.own
        let unfinished = runtime.unfinished
        return [
            "version": .string(Version.text),
            "address": .string("0x\(keys.chainKey.address.hex)"),
            "key_id": .integer(own.first?.keyID ?? 0), "listen": .string(listen.described),
            "uptime_s": .integer((MonotonicClock.nanos() - startNanos) / 1_000_000_000),
            "packets": sums.packets(workers), "drops": sums.dropsDocument(counts.drops),
            "latency_us": sums.latencyDocument,
            "links": sums.links(workers, sessions: links.sessions),
            "datapath": WorkerSums.datapath(workers),
            "tickets": [
                "locked": .integer(sums.counters[.ticketsLocked] ?? 0),
                "issued": .integer(sums.counters[.ticketsIssued] ?? 0),
                "self_checks_failed": .integer(sums.selfChecksFailed(counts.drops)),
                "unlocked": .integer(unfinished.unlocked),
                "unredeemed": .integer(unfinished.unsettled),
            ],
            "replay": [
                "used": .integer(threads?.replay.used ?? 0),
                "capacity": .integer(threads?.replay.capacity ?? 0),
            ],
            "tables": tablesDocument(sums), "gateway": gatewayDocument(counts),
            "trace": traceDocument(sums), "upgrades": upgrades.withLock { $0.document },
            "memory": [
                "allocated": memory.map { .integer($0.allocated) } ?? .null,
                "resident": memory.map { .integer($0.resident) } ?? .null,
            ],
            "ledger": runtime.chainFailure.map { .string("\($0)") } ?? .string("ok"),
        ]
    }

    private func traceDocument(_ sums: WorkerSums) -> JSON {
        let progress = trace.progress
        return [
            "recording": .bool(progress.map { $0.end == nil } ?? false),
            "records": .integer(progress?.records ?? 0),
            "dropped": .integer(sums.counters[.traceDropped] ?? 0),
        ]
    }

    private func tablesDocument(_ sums: WorkerSums) -> JSON {
        func document(_ cache: TableCache, _ hits: Counter, _ misses: Counter) -> JSON {
            [
                "used": .integer(cache.used), "capacity": .integer(cache.tables.count),
                "bytes": .integer(cache.usedBytes), "evictions": .integer(cache.evictions),
                "hits": .integer(sums.counters[hits] ?? 0),
                "misses": .integer(sums.counters[misses] ?? 0),
            ]
        }
        let (signers, verifiers) = press.tables
        return [
            "issuers": document(signers, .ticketsByTable, .ticketsByRecovery),
            "neighbours": document(verifiers, .acksByTable, .acksByKey),
        ]
    }

    private func gatewayDocument(_ counts: GatewayCounts) -> JSON {
        var members = [
            JSON.Member("no_path", .integer(counts.noPath)),
            JSON.Member("unposted", .integer(counts.unposted)),
        ]
        if let entry = counts.entry {
            members.append(
                JSON.Member(
                    "entry",
                    [
                        "from_clients": .integer(entry.fromClients),
                        "to_clients": .integer(entry.toClients),
                        "messages": .integer(entry.messages), "surbs": .integer(entry.surbs),
                        "replies": .integer(entry.replies), "too_long": .integer(entry.tooLong),
                        "no_flow": .integer(entry.noFlow), "incomplete": .integer(entry.incomplete),
                        "refused": .integer(entry.refused),
                    ]
                )
            )
        }
        if let exit = counts.exit {
            members.append(
                JSON.Member(
                    "exit",
                    [
                        "to_targets": .integer(exit.toTargets),
                        "from_targets": .integer(exit.fromTargets),
                        "replies": .integer(exit.replies), "no_surb": .integer(exit.noSURB),
                        "too_long": .integer(exit.tooLong), "rate": .integer(exit.rate),
                        "incomplete": .integer(exit.incomplete),
                        "refused": .integer(exit.refused),
                    ]
                )
            )
        }
        return .object(members)
    }
}
