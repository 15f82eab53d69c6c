import Bytes
import Crypto
import Exchange
import Foundation
import JSON
import TestSupport
import Testing

@testable import Node

@Suite(.serialized) struct DaemonTests {
    @Test func `a node without a ledger says so`() throws {
        let fixture = try Fixture()
        let config = try fixture.makeNode("node", port: try Fixture.freePort())
        let outcome = try Program.run(["run", "--config", config])
        #expect(outcome.code == 3)
        #expect(outcome.errors.contains("ledger: "))
    }

    @Test func `missing keys and a wrong passphrase are told apart`() throws {
        let fixture = try Fixture()
        let config = try fixture.makeNode("node", port: try Fixture.freePort())
        let passphrase = "\(fixture.folder)/node/passphrase"
        Files.remove(passphrase)
        #expect(try Program.run(["run", "--config", config]).errors.contains("cannot read"))
        try Files.create(passphrase, Array("wrong".utf8))
        let wrong = try Program.run(["run", "--config", config])
        #expect(wrong.code == 2 && wrong.errors.contains("wrong passphrase"))
        Files.removeTree("\(fixture.folder)/node/keys")
        let missing = try Program.run(["run", "--config", config])
        #expect(missing.code == 2 && missing.errors.contains("no keys here"))
    }

    @Test func `a port in use is refused, another node's too, and so is a folder in use`() throws {
        let fixture = try Fixture()
        try fixture.startLedger()
        let port = try Fixture.freePort()
        let first = try fixture.makeNode("first", port: port)
        let second = try fixture.makeNode("second", port: port)
        do {
            let taken = try UDPSocket(bind: Endpoint(ipv4: 127, 0, 0, 1, port: port))
            let outcome = try Program.run(["run", "--config", first])
            #expect(outcome.code == 1 && outcome.errors.contains("in use"), "\(outcome.errors)")
            withExtendedLifetime(taken) {}
        }
        let running = try fixture.startNode(first)
        let other = try Program.run(["run", "--config", second])
        #expect(other.code == 1 && other.errors.contains("in use"), "\(other.errors)")
        let same = try Program.run(["run", "--config", first])
        #expect(same.code == 1 && same.errors.contains("folder in use"), "\(same.errors)")
        running.terminate()
        running.waitUntilExit()
        #expect(running.terminationStatus == 0)
        #expect(!Files.exists("\(fixture.folder)/first/data/admin.sock"))
    }

    // The race checker writes a file of its own at start and dies of the limit itself.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["DRAY_SANITIZE"] == nil))
    func `a full disk is one clear line`() throws {
        let fixture = try Fixture()
        try fixture.startLedger()
        let config = try fixture.makeNode("node", port: try Fixture.freePort())
        // Files may not grow at all: the nearest thing to a full disk that needs no rights.
        let outcome = try Program.run(
            ["run", "--config", config],
            shell: "ulimit -f 1; trap '' XFSZ; exec \"$0\" \"$@\""
        )
        #expect(outcome.code == 1, "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }

    @Test func `channels are opened, funded and closed, and a new packet key is announced`() throws
    {
        let fixture = try Fixture()
        try fixture.startLedger()
        let first = try fixture.makeNode("first", port: try Fixture.freePort())
        let second = try fixture.makeNode("second", port: try Fixture.freePort())
        _ = try fixture.startNode(first)
        _ = try fixture.startNode(second)
        let status = try JSON.parse(
            try Program.run(["status", "--config", second, "--json"]).output
        )
        let address = try #require(status["address"]?.text)
        for verb in ["open", "fund"] {
            let done = try Program.run([
                "channels", verb, "--config", first, "--to", address, "--amount", "1000",
            ])
            #expect(done.code == 0, "\(done.errors)")
        }
        try fixture.wait {
            let list = try? Program.run(["channels", "list", "--config", second, "--json"]).output
            let channel = list.flatMap { try? JSON.parse($0) }?["channels"]?[0]
            return channel?["status"]?.text == "open" && channel?["balance"]?.text == "2000"
        }
        let closing = try Program.run(["channels", "close", "--config", first, "--to", address])
        #expect(closing.code == 0 && closing.output.contains("pendingToClose"))
        let before = status["key_id"]?.integer ?? 0
        let rotated = try Program.run(
            ["keygen", "--out", "\(fixture.folder)/second/keys", "--rotate"],
            environment: ["DRAY_PASSPHRASE": "secret"]
        )
        #expect(rotated.code == 0)
        try fixture.wait {
            let text = try? Program.run(["status", "--config", second, "--json"]).output
            return text.flatMap { try? JSON.parse($0) }?["key_id"]?.integer ?? 0 > before
        }
    }

    @Test func `garbage on the port is counted, logged once, and harms nothing`() throws {
        let fixture = try Fixture()
        try fixture.startLedger()
        let port = try Fixture.freePort()
        let config = try fixture.makeNode("node", port: port)
        let node = try fixture.startNode(config)
        let socket = try UDPSocket(connect: Endpoint(ipv4: 127, 0, 0, 1, port: port))
        var generator = SeededGenerator("garbage on the port")
        for size in [0, 1, 100, 1_460, 1_461, 1_462, 3_669, 60_000] {
            for _ in 0..<5 { socket.send(generator.bytes(size)) }
        }
        try fixture.wait {
            let text = try? Program.run(["status", "--config", config, "--json"]).output
            let status = text.flatMap { try? JSON.parse($0) }
            let drops = status?["drops"]?.members ?? []
            // Most have a length that the kernel lets nobody see.
            let unseen = status?["datapath"]?.elements?.first?["socket_drops"]?.integer ?? 0
            return drops.reduce(unseen) { $0 + ($1.value.integer ?? 0) } >= 40
        }
        try fixture.wait {
            let log = try? Files.text("\(fixture.folder)/node-1.log")
            return log?.contains("refused code=linkSize peer=unregistered count=") == true
        }
        node.terminate()
        node.waitUntilExit()
        #expect(node.terminationStatus == 0)
    }
}
