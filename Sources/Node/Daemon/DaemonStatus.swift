internal import Bytes
internal import Chain
internal import Channels
internal import Exchange
internal import Datapath
internal import JSON
internal import Relay
internal import Store

/// Sums over the workers, as the status shows them.
struct WorkerSums {
    var counters: [Counter: UInt64] = [:]
    var drops: [Drop: UInt64] = [:]
    var latency: [UInt64: UInt64] = [:]

    init(_ workers: [Counters]) {
        for worker in workers {
            for counter in Counter.allCases {
                counters[counter, default: 0] += worker.value(counter)
            }
            for drop in Drop.allCases where drop != .none {
                drops[drop, default: 0] += worker.value(drop)
            }
            for (nanos, count) in worker.latency.classes { latency[nanos, default: 0] += count }
        }
    }

    /// Adds what other workers did before.
    mutating func add(_ other: WorkerSums) {
        counters.merge(other.counters, uniquingKeysWith: +)
        drops.merge(other.drops, uniquingKeysWith: +)
        latency.merge(other.latency, uniquingKeysWith: +)
    }

    private func count(_ counter: Counter) -> UInt64 { counters[counter] ?? 0 }

    /// Where all packets are, with what the workers hold now.
    private func ledger(_ workers: [WorkerStatus]) -> PacketLedger {
        PacketLedger(
            counters,
            drops,
            queued: workers.reduce(0) { $0 + $1.queued },
            held: workers.reduce(0) { $0 + $1.held }
        )
    }

    /// `in` + `made` = `out` + `delivered` + `dropped` + `queued` + `held` + packets of
    /// acknowledgements that came; `missing` is what is left of that, 0 while the workers rest.
    func packets(_ workers: [WorkerStatus]) -> JSON {
        let ledger = ledger(workers)
        return [
            "in": .integer(ledger.received), "forwarded": .integer(ledger.forwarded),
            "delivered": .integer(ledger.delivered), "made": .integer(ledger.made),
            "dropped": .integer(ledger.dropped), "out": .integer(ledger.sent),
            "queued": .integer(ledger.queued), "held": .integer(ledger.held),
            "spilled": .integer(ledger.spilledOut), "missing": .integer(ledger.missing),
        ]
    }

    /// What went over links, and how.
    func links(_ workers: [WorkerStatus], sessions: Int) -> JSON {
        [
            "sessions": .integer(sessions),
            "datagrams_in": .integer(count(.datagramsIn)),
            "datagrams_out": .integer(count(.datagramsOut)),
            "bytes_in": .integer(count(.bytesIn)), "bytes_out": .integer(count(.bytesOut)),
            "acks_in": .integer(count(.acksIn)), "acks_out": .integer(count(.acksOut)),
            "handshakes_in": .integer(count(.handshakesIn)),
            "pings_in": .integer(count(.pingsIn)),
        ]
    }

    /// What the workers' ports use of the kernel and how often.
    static func datapath(_ workers: [WorkerStatus]) -> JSON {
        .array(
            workers.map { worker in
                [
                    "features": .string(worker.features.description),
                    "system_calls": .integer(worker.enters), "trains": .integer(worker.trains),
                    "socket_drops": .integer(worker.socketDrops),
                    "receive_errors": .integer(worker.receiveErrors),
                    "send_errors": .integer(worker.sendErrors),
                    "segmentation_off": .integer(worker.segmentationOff),
                    "trains_lost": .integer(worker.trainsLost),
                    "stalls": .integer(worker.stalls),
                    "allocated": .integer(worker.allocatedBytes),
                ]
            }
        )
    }

    /// Signatures of ours that did not verify: the workers', and the gateway's among its drops.
    func selfChecksFailed(_ more: [Drop: UInt64]) -> UInt64 {
        count(.selfChecksFailed) + (more[.ticketSelfCheck] ?? 0)
    }

    /// Reasons with their counts, those that occurred.
    func dropsDocument(_ more: [Drop: UInt64]) -> JSON {
        let all = drops.merging(more, uniquingKeysWith: +).filter { $0.value > 0 }
        return .object(
            all.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { JSON.Member($0.key.code, .integer($0.value)) }
        )
    }

    /// Receiving to sending, microseconds.
    var latencyDocument: JSON {
        let classes = latency.sorted { $0.key < $1.key }.map { (nanos: $0.key, count: $0.value) }
        func quantile(_ share: Double) -> JSON {
            .integer(Histogram.quantile(share, of: classes) / 1_000)
        }
        return [
            "p50": quantile(0.5), "p90": quantile(0.9), "p99": quantile(0.99), "max": quantile(1),
        ]
    }
}

extension ChannelInfo {
    private var peer: Address {
        switch direction {
        case .incoming: channel.source
        case .outgoing: channel.destination
        }
    }

    /// For `channels list`.
    func document(nextIndex: UInt64) -> JSON {
        [
            "direction": .string("\(direction)"), "peer": .string("0x\(peer.hex)"),
            "id": .string(channel.id.hex), "status": .string("\(channel.status)"),
            "balance": .string("\(channel.balance)"), "epoch": .integer(channel.channelEpoch),
            "ticket_epoch": .integer(channel.ticketEpoch),
            "index": .integer(direction == .incoming ? floor : nextIndex),
            "closes_ms": .integer(channel.closesMillis),
            "stopped": stopped == .none ? .null : .string(stopped.code),
        ]
    }

    /// For `tickets list`; nil for a channel through which we pay.
    var ticketsDocument: JSON? {
        guard direction == .incoming else { return nil }
        let void = totals.void.filter { $0.value > 0 }.sorted { $0.key.rawValue < $1.key.rawValue }
        return [
            "peer": .string("0x\(peer.hex)"), "received": .integer(totals.received),
            "won": .integer(totals.won), "lost": .integer(totals.lost),
            "void": .integer(totals.voidCount), "redeemed": .integer(totals.redeemed),
            "pending": .integer(unlocked), "unredeemed": .integer(unsettled),
            "earned": .string("\(totals.redeemedValue)"),
            "void_reasons": .object(void.map { JSON.Member($0.key.code, .integer($0.value)) }),
        ]
    }
}
