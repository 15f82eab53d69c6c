import Bytes
import Exchange
import Foundation
import JSON
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
        let packet = "[packet]\nprofile = \"\(profile)\"\n"
        let target = "127.0.0.1:\(echo.socket.port)"
        let entry = try fixture.makeNode("entry", port: try Fixture.freePort(), more: packet)
        let relay = try fixture.makeNode("relay", port: try Fixture.freePort(), more: packet)
        let exit = try fixture.makeNode(
            "exit",
            port: try Fixture.freePort(),
            more: packet + "[exit]\ntargets = [\"\(target)\"]\n"
        )
        _ = try fixture.startNode(relay)
        _ = try fixture.startNode(exit)
        let relayAddress = try fixture.address(of: relay)
        let exitAddress = try fixture.address(of: exit)
        try fixture.open(exit, to: relayAddress)
        // An entry is a node of its own while it runs: it opens its channel and stops again.
        let first = try fixture.startNode(entry)
        try fixture.open(entry, to: relayAddress)
        first.terminate()
        first.waitUntilExit()
        #expect(first.terminationStatus == 0)

        let sides = ["--config", entry, "--exit", exitAddress, "--hops", "1"]
        let sent = try Program.run(["send", "--to", target, "--text", "hello", "--json"] + sides)
        #expect(sent.code == 0, "\(sent.errors)")
        #expect(try JSON.parse(sent.output)["answer"]?.text == "hello")
        let refused = try Program.run(["send", "--to", "127.0.0.1:1", "--text", "x"] + sides)
        #expect(refused.code == 1 && refused.errors.contains("does not serve"), "\(refused.errors)")

        try useTunnel(to: target, sides, entry, fixture)

        try expectTables(relay)
        try expectPay(relay, fixture)
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
