import Bytes
import Chain
import Crypto
import JSON
import Node

/// What happened in the demo, and whether it adds up.
struct DemoReport {
    /// Money of one node: account and channels it pays from.
    struct Balance {
        let node: String
        let before: UInt128
        let after: UInt128
    }

    /// What became of the tickets a node received.
    struct Tickets {
        let node: String
        let received: Int
        let won: Int
        let lost: Int
        let void: Int
        let redeemed: Int
        let pending: Int
    }

    var hops = 3
    var winProbability = 1.0
    var odds = 0.0
    var traffic = DemoTraffic.Result()
    var packets: [String: Int] = [:]
    var drops: [String: Int] = [:]
    var tickets: [Tickets] = []
    var balances: [Balance] = []
    var complaints: [String] = []

    static let packetKeys = ["in", "forwarded", "delivered", "made", "dropped"]

    /// Adds a node's status to the sums.
    mutating func add(status: JSON) {
        for key in Self.packetKeys {
            packets[key, default: 0] += status["packets"]?[key]?.integer ?? 0
        }
        for member in status["drops"]?.members ?? [] {
            drops[member.name, default: 0] += member.value.integer ?? 0
        }
    }

    /// Adds a node's tickets.
    mutating func add(tickets document: JSON, of node: String) {
        func sum(_ key: String) -> Int {
            (document["channels"]?.elements ?? []).reduce(0) { $0 + ($1[key]?.integer ?? 0) }
        }
        tickets.append(
            Tickets(
                node: node,
                received: sum("received"),
                won: sum("won"),
                lost: sum("lost"),
                void: sum("void"),
                redeemed: sum("redeemed"),
                pending: sum("pending")
            )
        )
    }

    /// Finds what does not add up.
    mutating func judge(relays: [String]) {
        let before = balances.reduce(UInt128(0)) { $0 + $1.before }
        let after = balances.reduce(UInt128(0)) { $0 + $1.after }
        if before != after { complaints.append("balances: \(before) before, \(after) after") }
        for relay in relays {
            guard let balance = balances.first(where: { $0.node == relay }) else { continue }
            if balance.after <= balance.before { complaints.append("\(relay) earned nothing") }
        }
        for entry in tickets
        where entry.received != entry.won + entry.lost + entry.void + entry.pending {
            complaints.append("\(entry.node): tickets do not add up")
        }
        for entry in tickets where entry.pending > 0 {
            complaints.append("\(entry.node): \(entry.pending) tickets are undecided")
        }
        for entry in tickets where entry.redeemed != entry.won {
            complaints.append("\(entry.node): \(entry.won) tickets won, \(entry.redeemed) redeemed")
        }
        if traffic.answered != traffic.sent {
            complaints.append("\(traffic.sent - traffic.answered) queries were not answered")
        }
        if traffic.wrong > 0 { complaints.append("\(traffic.wrong) answers were wrong") }
    }

    private var quantiles: [(String, Int)] {
        let all = traffic.latencies
        return [
            ("p50", DemoTraffic.quantile(all, 0.5)), ("p90", DemoTraffic.quantile(all, 0.9)),
            ("p99", DemoTraffic.quantile(all, 0.99)), ("max", all.last ?? 0),
        ]
    }

    /// For machines.
    var document: JSON {
        [
            "packets": .object(
                Self.packetKeys.map { JSON.Member($0, .integer(packets[$0] ?? 0)) }
            ),
            "drops": .object(
                drops.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) }
            ),
            "tickets": .object(
                tickets.map { entry in
                    JSON.Member(
                        entry.node,
                        [
                            "received": .integer(entry.received), "won": .integer(entry.won),
                            "lost": .integer(entry.lost), "void": .integer(entry.void),
                            "redeemed": .integer(entry.redeemed),
                        ]
                    )
                }
            ),
            "balances": .array(
                balances.map { balance in
                    [
                        "node": .string(balance.node), "before": .integer(balance.before),
                        "after": .integer(balance.after),
                    ]
                }
            ),
            "table": .string(Kernels.table),
            "latency_us": .object(quantiles.map { JSON.Member($0.0, .integer($0.1)) }),
        ]
    }

    /// For people.
    var text: String {
        let ticketRows = tickets.map { entry in
            [entry.node]
                + [entry.received, entry.won, entry.lost, entry.void, entry.redeemed]
                .map { "\($0)" }
        }
        let balanceRows = balances.map { balance in
            let change =
                balance.after >= balance.before
                ? "+\(balance.after - balance.before)" : "-\(balance.before - balance.after)"
            return [balance.node, "\(balance.before)", "\(balance.after)", change]
        }
        let sum = [
            "sum", "\(balances.reduce(UInt128(0)) { $0 + $1.before })",
            "\(balances.reduce(UInt128(0)) { $0 + $1.after })", "",
        ]
        let repeated = traffic.repeated > 0 ? ", \(traffic.repeated) sent again" : ""
        let counts = Self.packetKeys.map { "\($0) \(packets[$0] ?? 0)" }
        let reasons = drops.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let times = quantiles.map { "\($0.0) \($0.1) µs" }
        var sections = [
            "queries: \(traffic.sent) sent over \(hops) relays and back, "
                + "\(traffic.answered) answered\(repeated)"
        ]
        sections.append("packets, all nodes: \(counts.joined(separator: ", "))")
        sections.append("dropped: \(reasons.isEmpty ? "none" : reasons.joined(separator: ", "))")
        sections.append(
            Output.table(["tickets", "received", "won", "lost", "void", "redeemed"], ticketRows)
        )
        sections.append(
            Output.table(["balances", "before", "after", "change"], balanceRows + [sum])
        )
        sections.append("round trip: \(times.joined(separator: ", "))")
        sections.append("kernels: \(Kernels.table)")
        sections.append(
            "a ticket wins with probability \(winProbability): the chance that a relay earns "
                + "nothing is below \(rounded(odds))"
        )
        sections.append(
            complaints.isEmpty
                ? "every relay earned, and all balances add up"
                : "wrong:\n" + complaints.map { "  \($0)" }.joined(separator: "\n")
        )
        return sections.joined(separator: "\n\n")
    }

    /// The next power of ten.
    private func rounded(_ odds: Double) -> String {
        var power = 0
        while power < 30, odds < pow10(-power - 1) { power += 1 }
        return "10^-\(power)"
    }

    private func pow10(_ exponent: Int) -> Double {
        (0..<abs(exponent)).reduce(1.0) { value, _ in exponent < 0 ? value / 10 : value * 10 }
    }
}
