import Bytes
import Chain
import Glibc
import JSON
import Node

extension Verb {
    static let demo = Verb(
        name: "demo",
        summary: "a whole network on this machine: real queries, real relays, and who earned what",
        options: [
            Option(name: "hops", value: "N", help: "relays on each path, 1 to 3; else 3"),
            Option(
                name: "packets",
                value: "N",
                help: "DNS queries to send, 100 to 1000000; else 3000"
            ),
        ],
        example: "dray demo --hops 3 --packets 3000",
        run: demonstrate
    )
}

private func demonstrate(_ arguments: Arguments) throws(Failure) {
    let hops = try arguments.integer("hops", 3, in: 1...3)
    let queries = try arguments.integer("packets", 3_000, in: 100...1_000_000)
    guard let server = Child.find("dnsmasq") else {
        throw .failed("the demo needs a DNS server: apt-get install dnsmasq-base")
    }
    guard let client = Child.find("dig") else {
        throw .failed("the demo needs a DNS client: apt-get install bind9-dnsutils")
    }
    let signals = Signals()
    var report = DemoReport()
    report.hops = hops
    report.winProbability = DemoOdds.winProbability(queries: queries, hops: hops)
    report.odds = DemoOdds.failure(
        queries: queries,
        hops: hops,
        winProbability: report.winProbability
    )
    var network = try DemoNetwork(winProbability: report.winProbability, signals: signals)
    defer { network.cleanUp() }
    try network.start(hops: hops, dnsServer: server) { Progress.say($0) }
    let before = try money(network)
    try askWithClient(network, client)
    try pushTraffic(network, queries, &report)
    try settle(network, &report)
    let after = try money(network)
    report.balances = network.members.map { member in
        DemoReport.Balance(
            node: member.name,
            before: before[member.address] ?? 0,
            after: after[member.address] ?? 0
        )
    }
    report.complaints += network.stop()
    report.judge(relays: network.relays.map(\.name))
    Progress.end()
    print(arguments.json ? report.document.description : report.text)
    guard report.complaints.isEmpty else {
        throw .failed(arguments.json ? report.complaints.joined(separator: "; ") : "demo failed")
    }
}

/// Each node's money: its account, and the channels it pays from.
private func money(_ network: DemoNetwork) throws(Failure) -> [Address: UInt128] {
    var money: [Address: UInt128] = [:]
    do throws(ChainError) {
        for account in try network.ledger.allAccounts() {
            money[account.address, default: 0] += account.balance
        }
        for channel in try network.ledger.allChannels() {
            money[channel.source, default: 0] += channel.balance
        }
    } catch {
        throw .failed("\(error)")
    }
    return money
}

/// Some queries with a client that knows nothing of us.
private func askWithClient(_ network: DemoNetwork, _ client: String) throws(Failure) {
    Progress.say("asking with dig")
    for name in ["www.demo.test", "mail.demo.test", "relay.demo.test"] {
        let log = "\(network.folder)/dig.log"
        let child: Child
        do throws(SystemError) {
            child = try Child(
                name: "dig",
                client,
                [
                    "@127.0.0.1", "-p", "\(network.tunnelPort)", name, "A", "+short", "+tries=5",
                    "+time=2", "+noedns",
                ],
                log: log
            )
        } catch {
            throw .failed(error.description)
        }
        defer { child.destroy() }
        try network.wait("dig") { !child.isRunning }
        guard child.wait(millis: 0) == 0, child.tail(1) == "192.0.2.53" else {
            throw .failed("dig got no answer through the tunnel: \(child.tail())")
        }
    }
}

private func pushTraffic(
    _ network: DemoNetwork,
    _ queries: Int,
    _ report: inout DemoReport
) throws(Failure) {
    var traffic = try DemoTraffic(port: network.tunnelPort, total: queries)
    let start = MonotonicClock.nanos()
    var shown: UInt64 = 0
    while !traffic.isDone {
        traffic.turn(millis: 10)
        let now = MonotonicClock.nanos()
        guard now - shown > 200_000_000 else { continue }
        shown = now
        try network.check()
        let seconds = Double(now - start) / 1e9
        let rate = Int(Double(traffic.result.answered) / max(seconds, 0.001))
        Progress.say(
            "queries \(traffic.result.sent) of \(queries), answers \(traffic.result.answered), "
                + "\(rate) a second"
        )
    }
    report.traffic = traffic.result
    report.traffic.latencies.sort()
}

/// Waits until every ticket is decided and every winner is paid, then takes the counts.
private func settle(_ network: DemoNetwork, _ report: inout DemoReport) throws(Failure) {
    Progress.say("redeeming tickets")
    var documents: [String: JSON] = [:]
    try network.wait("the tickets", seconds: 60) {
        var isDone = true
        for member in network.members {
            _ = try? AdminClient.ask(.redeem, socket: member.adminSocket)
            let tickets = try? AdminClient.ask(.tickets, socket: member.adminSocket)
            documents[member.name] = tickets ?? .null
            for channel in tickets?["channels"]?.elements ?? [] {
                let settled = channel["pending"]?.integer == 0
                isDone = isDone && settled && channel["won"] == channel["redeemed"]
            }
        }
        return isDone
    }
    for member in network.members {
        let document = documents[member.name] ?? .null
        if document["channels"]?.elements?.isEmpty == false {
            report.add(tickets: document, of: member.name)
        }
        do throws(AdminClientError) {
            report.add(status: try AdminClient.ask(.status, socket: member.adminSocket))
        } catch {
            throw .failed("\(member.name): \(error.description)")
        }
    }
}

/// One line on the terminal that changes; a line a step elsewhere.
private enum Progress {
    private static let isTerminal = isatty(2) == 1

    static func say(_ text: String) {
        if isTerminal {
            try? Files.write(2, "standard error", Array("\r\u{1b}[K\(text)".utf8))
        } else {
            writeLine(text)
        }
    }

    static func end() {
        if isTerminal { try? Files.write(2, "standard error", Array("\r\u{1b}[K".utf8)) }
    }
}
