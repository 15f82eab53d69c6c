import Bytes
import Exchange
import Foundation
import JSON
import Synchronization
import Testing

@testable import Node

@Suite(.serialized) struct UpgradeTests {
    private func status(_ config: String) throws -> JSON {
        try JSON.parse(try Program.run(["status", "--socket", socket(config), "--json"]).output)
    }

    private func upgrade(_ config: String, _ more: [String] = []) throws -> Program.Outcome {
        try Program.run(["upgrade", "--socket", socket(config)] + more)
    }

    // The configuration may be broken.
    private func socket(_ config: String) -> String { "\(Paths.parent(config))/data/admin.sock" }

    /// A script that runs the program, after some lines of its own.
    private func wrapper(_ fixture: Fixture, _ lines: String) throws -> String {
        let path = "\(fixture.folder)/wrapper-\(UInt64.random(in: 0 ... .max))"
        let text = "#!/bin/sh\n\(lines)\nexec '\(Program.path)' \"$@\"\n"
        try Files.create(path, Array(text.utf8), mode: 0o700)
        return path
    }

    @Test func `a node keeps its process, its descriptors and its uptime`() throws {
        let fixture = try Fixture()
        try fixture.startLedger()
        let config = try fixture.makeNode("node", port: try Fixture.freePort())
        let node = try fixture.startNode(config)
        let folder = "/proc/\(node.processIdentifier)/fd"
        var counts: [Int] = []
        for round in 1...3 {
            let outcome = try upgrade(config)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("after a pause of"))
            #expect(node.isRunning)
            let upgrades = try status(config)["upgrades"]
            #expect(upgrades?["done"]?.integer == round)
            #expect((upgrades?["pause_us"]?.integer ?? 0) > 0)
            counts.append(try FileManager.default.contentsOfDirectory(atPath: folder).count)
        }
        #expect(counts[0] == counts[1] && counts[1] == counts[2], "\(counts)")
        let text = try Program.run(["status", "--config", config]).output
        #expect(text.contains("upgrades: 3, the last pause"))
        let json = try upgrade(config, ["--json", "--binary", Program.path])
        #expect(try JSON.parse(json.output)["to"]?.text?.hasPrefix("dray ") == true)
        node.terminate()
        node.waitUntilExit()
        #expect(node.terminationStatus == 0)
        let log = try Files.text("\(fixture.folder)/node-1.log")
        #expect(log.contains("0 packets in the mixer") && log.contains("stopped"))
    }

    @Test func `an upgrade under load loses no packet and no ticket`() throws {
        let net = try TunnelNet()
        let before = try status(net.relay)
        for _ in 0..<3 {
            let upgrade = Background(["upgrade", "--config", net.relay])
            net.load { upgrade.result == nil }
            #expect(upgrade.result?.code == 0, "\(upgrade.result?.errors ?? "")")
            net.load(times: 20)
        }
        net.receive(millis: 500)
        #expect(net.sent > 50 && net.answered.count > 50 && net.answers == net.answered.count)
        // Every packet is somewhere, and every ticket comes to an end.
        try net.fixture.wait { isAtRest(net) }
        let statuses = try [net.entry, net.relay, net.exit].map { try status($0) }
        let (entry, relay, exit) = (statuses[0], statuses[1], statuses[2])
        #expect(relay["upgrades"]?["done"]?.integer == 3)
        #expect(number(relay, "in") == number(entry, "out") + number(exit, "out"))
        #expect(number(relay, "out") == number(entry, "in") + number(exit, "in"))
        #expect(number(relay, "in") == number(relay, "out") + number(relay, "dropped"))
        #expect(number(relay, "forwarded") > number(before, "forwarded"))
        // A machine that is busy lets packets grow old; nothing else is dropped.
        for status in statuses {
            let reasons = status["drops"]?.members?.map(\.name) ?? []
            #expect(
                reasons.allSatisfy { ["queueAge", "queueFull", "noAck"].contains($0) },
                "\(reasons)"
            )
            #expect(status["datapath"]?[0]?["socket_drops"]?.integer == 0)
        }
        #expect((relay["uptime_s"]?.integer ?? 0) >= (before["uptime_s"]?.integer ?? 0))
        let dropped = number(entry, "dropped") + number(exit, "dropped")
        let void = tickets(net.relay).reduce(0) { $0 + ($1["void"]?.integer ?? 0) }
        #expect(void == dropped, "tickets without acknowledgement")
        #expect(try Program.run(["tickets", "redeem", "--config", net.relay]).code == 0)
        try net.fixture.wait { tickets(net.relay).contains { ($0["redeemed"]?.integer ?? 0) > 0 } }
        net.relayProcess.terminate()
        net.relayProcess.waitUntilExit()
        #expect(net.relayProcess.terminationStatus == 0)
    }

    private func number(_ status: JSON, _ name: String) -> Int {
        status["packets"]?[name]?.integer ?? -1
    }

    /// True if nothing is on its way, and no ticket waits.
    private func isAtRest(_ net: TunnelNet) -> Bool {
        let statuses = [net.entry, net.relay, net.exit].compactMap { try? status($0) }
        return statuses.count == 3
            && statuses.allSatisfy {
                number($0, "missing") == 0 && number($0, "held") == 0 && number($0, "queued") == 0
            }
            && statuses[1]["tickets"]?["locked"]?.integer == received(net.relay)
    }

    /// What a node's tickets became, by channel.
    private func tickets(_ config: String) -> [JSON] {
        let text = try? Program.run(["tickets", "list", "--config", config, "--json"]).output
        return text.flatMap { try? JSON.parse($0) }?["channels"]?.elements ?? []
    }

    /// Tickets that were unlocked or given up.
    private func received(_ config: String) -> Int {
        tickets(config).reduce(0) { $0 + ($1["received"]?.integer ?? 0) }
    }

    @Test func `a program that cannot go on is refused, and the old one relays on`() throws {
        let net = try TunnelNet()
        let fixture = net.fixture
        let text = try Files.text(net.relay)
        func change(_ from: String, _ to: String) throws {
            try Data(text.replacingOccurrences(of: from, with: to).utf8)
                .write(to: URL(filePath: net.relay))
        }
        func expect(_ reason: String, _ more: [String] = []) throws {
            let outcome = try upgrade(net.relay, more)
            #expect(outcome.code == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
            #expect(net.relays())
            #expect(try status(net.relay)["upgrades"]?["attempts"]?.integer == 0)
        }
        // The configuration: wrong, of other workers, of other tables.
        try change("[replay]", "[nonsense]")
        try expect("nonsense")
        try change("[replay]", "[workers]\ncount = 2\n[replay]")
        try expect("workers.count is 2 now, and 1 in the running node")
        try change("[replay]", "[links]\npeers = 64\n[replay]")
        try expect("links.peers is 64 now, and 1024 in the running node")
        try change("[replay]", "[mixing]\ncapacity = 100\n[replay]")
        try expect("mixing.capacity is 100 now, and 20000 in the running node")
        try change("tags = 4096", "tags = 8192")
        try expect("replay.tags is 8192 now, and 4096 in the running node")
        try Data(text.utf8).write(to: URL(filePath: net.relay))
        // The program: another format, missing, no program, broken, silent, hanging.
        let other = try wrapper(fixture, "export DRAY_HANDOVER_FORMAT=7")
        try expect(
            "takes format 7 of what is handed over, the running node hands over format 1",
            ["--binary", other]
        )
        try expect("No such file or directory", ["--binary", "/nowhere/dray"])
        try expect("Permission denied", ["--binary", net.relay])
        try expect("ended by signal 11", ["--binary", try wrapper(fixture, "kill -SEGV $$")])
        try expect("gave no answer", ["--binary", "/bin/true"])
        try expect(
            "did not answer within 1000 ms",
            ["--binary", try wrapper(fixture, "sleep 100"), "--wait-s", "1"]
        )
        // What is not a question at all; and a node that keeps flows.
        #expect(try upgrade(net.relay, ["--wait-s", "0"]).code == 2)
        let entry = try upgrade(net.entry)
        #expect(entry.code == 1 && entry.errors.contains("flows of an entry"))
        #expect(net.relays())
        let log = try Files.text("\(fixture.folder)/node-1.log")
        #expect(log.components(separatedBy: "upgrade refused: ").count == 12)
        try expectFallBack(net)
    }

    /// A program that cannot be run after all leaves the old one in its place.
    private func expectFallBack(_ net: TunnelNet) throws {
        let gone = try wrapper(net.fixture, "rm -- \"$0\"")
        let upgrade = Background(["upgrade", "--config", net.relay, "--binary", gone])
        net.load { upgrade.result == nil }
        let outcome = try #require(upgrade.result)
        let reason = "\(gone): No such file or directory"
        #expect(outcome.code == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
        #expect(net.relays())
        net.receive(millis: 500)
        try net.fixture.wait { isAtRest(net) }
        let now = try status(net.relay)
        let upgrades = now["upgrades"]
        #expect(upgrades?["done"]?.integer == 0 && upgrades?["attempts"]?.integer == 1)
        #expect(number(now, "in") == number(now, "out") + number(now, "dropped"))
        let text = try Program.run(["status", "--config", net.relay]).output
        #expect(text.contains("the last one failed: \(reason)"))
        let log = try Files.text("\(net.fixture.folder)/node-1.log")
        #expect(log.contains("upgrade failed: \(reason); going on as before"))
        // The next one does not mind.
        #expect(try self.upgrade(net.relay).code == 0)
        #expect(net.relays())
    }

    @Test func `a program that finds another state starts anew and says what is lost`() throws {
        let net = try TunnelNet(relayMore: "[acknowledgements]\nwait_ms = 2000\n")
        // Tickets wait for their acknowledgement when it comes to it.
        net.load(times: 5)
        let liar = try wrapper(
            net.fixture,
            "case \"$*\" in *--resume*) export DRAY_HANDOVER_FORMAT=7;; esac"
        )
        let outcome = try upgrade(net.relay, ["--binary", liar])
        #expect(outcome.code == 1 && outcome.errors.contains("started anew"), "\(outcome.errors)")
        #expect(outcome.errors.contains("takes format 7"))
        #expect(net.relayProcess.isRunning)
        let log = try Files.text("\(net.fixture.folder)/node-1.log")
        let lost = log.components(separatedBy: "started anew, ").last?.split(separator: " ").first
        let count = try #require(lost.flatMap { Int($0) })
        let void = tickets(net.relay).reduce(0) {
            $0 + ($1["void_reasons"]?["upgradeLost"]?.integer ?? 0)
        }
        #expect(void == count && count > 0, "\(tickets(net.relay))")
        // It relays again as soon as links are up.
        #expect(net.relays())
        net.relayProcess.terminate()
        net.relayProcess.waitUntilExit()
        #expect(net.relayProcess.terminationStatus == 0)
    }
}
