import Bytes
import Exchange
import Foundation
import JSON
import Synchronization
import Testing

@testable import Node

@Suite(.serialized) struct NodeJourneyTests {
    @Test(arguments: [("head", "commitment"), ("v4", "vrf"), ("mix13", "commitment")])
    func `a message and long datagrams go through a relay, and the relay is paid`(
        profile: String,
        rule: String
    ) throws {
        let fixture = try Fixture()
        let echo = try Echo()
        let thread = ControlThread("echo") { echo.run() }
        defer {
            echo.stop()
            thread.join()
        }
        try fixture.startLedger(["--profile", profile, "--rule", rule])
        let target = "127.0.0.1:\(echo.socket.port)"
        let way = try makeWay(fixture, to: target, more: "[packet]\nprofile = \"\(profile)\"\n")
        let (sides, entry, relay) = (way.sides, way.entry, way.relay)
        let sent = try Program.run(["send", "--to", target, "--text", "hello", "--json"] + sides)
        #expect(sent.code == 0, "\(sent.errors)")
        #expect(try JSON.parse(sent.output)["answer"]?.text == "hello")
        let refused = try Program.run(["send", "--to", "127.0.0.1:1", "--text", "x"] + sides)
        #expect(refused.code == 1 && refused.errors.contains("does not serve"), "\(refused.errors)")

        try useTunnel(to: target, sides, entry, fixture)

        try expectTables(relay)
        try expectPay(relay, fixture)
    }

    @Test(arguments: ["head", "v4"])
    func `a relay that is killed under load starts at once, and keeps what it must keep`(
        profile: String
    ) throws {
        let fixture = try Fixture()
        let echo = try Echo()
        let thread = ControlThread("echo") { echo.run() }
        defer {
            echo.stop()
            thread.join()
        }
        try fixture.startLedger(["--profile", profile])
        let target = "127.0.0.1:\(echo.socket.port)"
        let way = try makeWay(fixture, to: target, more: "[packet]\nprofile = \"\(profile)\"\n")
        let port = try Fixture.freePort()
        let words = ["tunnel", "--to", target, "--listen", "127.0.0.1:\(port)"]
        _ = try fixture.start(words + way.sides, log: "tunnel.log")
        try fixture.wait { (try? Program.run(["status", "--config", way.entry]))?.code == 0 }
        #expect(try roundTrip(port, size: 500))
        func number(_ section: String, _ name: String) -> Int {
            let text = try? Program.run(["status", "--config", way.relay, "--json"]).output
            return text.flatMap { try? JSON.parse($0) }?[section]?[name]?.integer ?? 0
        }
        try fixture.wait { number("tickets", "unredeemed") > 0 }
        // Datagrams all the time, whether anybody is there or not.
        let socket = try UDPSocket(connect: Endpoint(ipv4: 127, 0, 0, 1, port: port))
        let isOver = Atomic<Bool>(false)
        let load = ControlThread("load") {
            while !isOver.load(ordering: .acquiring) {
                socket.send([UInt8](repeating: 1, count: 200))
                pause(millis: 5)
            }
        }
        defer {
            isOver.store(true, ordering: .releasing)
            load.join()
        }
        pause(millis: 300)
        let kept = (number("replay", "used"), number("tickets", "unredeemed"))
        kill(way.relayProcess.processIdentifier, SIGKILL)
        way.relayProcess.waitUntilExit()
        let again = try fixture.startNode(way.relay)
        #expect(again.isRunning)
        #expect(number("replay", "used") >= kept.0 && kept.0 > 0)
        #expect(number("tickets", "unredeemed") >= kept.1 && kept.1 > 0)
        // And it goes on: neighbours find it without a word from anybody.
        #expect(try roundTrip(port, size: 500, tries: 20))
        try expectPay(way.relay, fixture)
    }

    /// Three nodes with channels; the entry does not run.
    private struct Way {
        var entry: String
        var relay: String
        var relayProcess: Process
        var sides: [String]
    }

    private func makeWay(_ fixture: Fixture, to target: String, more: String) throws -> Way {
        let entry = try fixture.makeNode("entry", port: try Fixture.freePort(), more: more)
        let relay = try fixture.makeNode("relay", port: try Fixture.freePort(), more: more)
        let exit = try fixture.makeNode(
            "exit",
            port: try Fixture.freePort(),
            more: more + "[exit]\ntargets = [\"\(target)\"]\n"
        )
        let process = try fixture.startNode(relay)
        _ = try fixture.startNode(exit)
        let relayAddress = try fixture.address(of: relay)
        let exitAddress = try fixture.address(of: exit)
        try fixture.open(exit, to: relayAddress, amount: 100_000)
        // An entry is a node of its own while it runs: it opens its channel and stops again.
        let first = try fixture.startNode(entry)
        try fixture.open(entry, to: relayAddress, amount: 100_000)
        first.terminate()
        first.waitUntilExit()
        #expect(first.terminationStatus == 0)
        return Way(
            entry: entry,
            relay: relay,
            relayProcess: process,
            sides: ["--config", entry, "--exit", exitAddress, "--hops", "1"]
        )
    }

    /// The relay came to know its issuers and neighbours, and used that.
    private func expectTables(_ config: String) throws {
        let text = try Program.run(["status", "--config", config, "--json"]).output
        let tables = try #require(try JSON.parse(text)["tables"])
        for (kind, least) in [("issuers", 2), ("neighbours", 2)] {
            #expect((tables[kind]?["used"]?.integer ?? 0) >= least, "\(kind): \(tables)")
            #expect((tables[kind]?["hits"]?.integer ?? 0) > 0, "\(kind): \(tables)")
        }
        #expect((tables["issuers"]?["misses"]?.integer ?? 0) > 0, "\(tables)")
    }

    /// The relay's tickets are redeemed.
    private func expectPay(_ relay: String, _ fixture: Fixture) throws {
        #expect(try Program.run(["tickets", "redeem", "--config", relay]).code == 0)
        try fixture.wait {
            let text = try? Program.run(["tickets", "list", "--config", relay, "--json"]).output
            let channels = text.flatMap { try? JSON.parse($0) }?["channels"]?.elements ?? []
            return channels.contains { ($0["redeemed"]?.integer ?? 0) > 0 }
        }
    }

    /// Datagrams of all lengths through a tunnel and back.
    private func useTunnel(
        to target: String,
        _ sides: [String],
        _ entry: String,
        _ fixture: Fixture
    ) throws {
        let port = try Fixture.freePort()
        let tunnel = try fixture.start(
            ["tunnel", "--to", target, "--listen", "127.0.0.1:\(port)"] + sides,
            log: "tunnel.log"
        )
        try fixture.wait { (try? Program.run(["status", "--config", entry]))?.code == 0 }
        for size in [0, 1, 1_000, 4_096] {
            #expect(try roundTrip(port, size: size), "\(size) bytes")
        }
        #expect(try !roundTrip(port, size: 4_097, tries: 1), "longer than may be")
        tunnel.terminate()
        tunnel.waitUntilExit()
        #expect(tunnel.terminationStatus == 0)
    }

    /// A datagram of so many bytes through the tunnel and back.
    private func roundTrip(_ port: UInt16, size: Int, tries: Int = 8) throws -> Bool {
        let socket = try UDPSocket(connect: Endpoint(ipv4: 127, 0, 0, 1, port: port))
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ size) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<tries {
            socket.send(bytes)
            _ = UDPSocket.wait([socket.file], millis: 1_500)
            if let (answer, _) = socket.receive(&buffer) { return answer == bytes }
        }
        return false
    }
}
