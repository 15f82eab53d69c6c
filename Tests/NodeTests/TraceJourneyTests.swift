import Exchange
import Foundation
import JSON
import Testing

@testable import Node

/// A running relay is recorded, and what was recorded is sent to relays.
@Suite(.serialized) struct TraceJourneyTests {
    private func status(_ config: String) throws -> JSON {
        try JSON.parse(try Program.run(["status", "--config", config, "--json"]).output)
    }

    private func number(_ status: JSON, _ section: String, _ name: String) -> Int {
        status[section]?[name]?.integer ?? 0
    }

    /// Starts a recording as a user does, and waits until it is under way.
    private func record(
        _ net: TunnelNet,
        _ file: String,
        _ more: [String] = []
    ) throws -> (process: Process, log: String) {
        let log = "record-\(UInt64.random(in: 0 ... .max)).log"
        let words = ["trace", "record", "--config", net.relay, "--out", file]
        let process = try net.fixture.start(words + more, log: log)
        try net.fixture.wait {
            (try? status(net.relay))?["trace"]?["recording"]?.bool == true || !process.isRunning
        }
        return (process, "\(net.fixture.folder)/\(log)")
    }

    private func records(_ trace: JSON, _ direction: String, _ kind: String) -> Int {
        let kinds = trace["kinds"]?.elements ?? []
        let found = kinds.first { $0["direction"]?.text == direction && $0["kind"]?.text == kind }
        return found?["records"]?.integer ?? 0
    }

    /// Waits until no packet is on its way at the relay.
    private func rest(_ net: TunnelNet) throws {
        net.receive(millis: 500)
        try net.fixture.wait {
            guard let status = try? status(net.relay) else { return false }
            return ["missing", "held", "queued"].allSatisfy { number(status, "packets", $0) == 0 }
        }
    }

    @Test func `what crosses a relay is recorded, and replayed to others and to itself`() throws {
        let net = try TunnelNet()
        let fixture = net.fixture
        let second = try fixture.makeNode("second", port: try Fixture.freePort())
        _ = try fixture.startNode(second)
        let file = "\(fixture.folder)/x.trace"
        try rest(net)
        let (recorder, log) = try record(net, file, ["--whole"])
        let before = try status(net.relay)
        net.load(times: 30)
        try rest(net)
        let after = try status(net.relay)
        let other = try Program.run([
            "trace", "record", "--config", net.relay, "--out", "\(file)2",
        ])
        #expect(other.code == 1 && other.errors.contains("a trace is being recorded"))
        recorder.interrupt()
        recorder.waitUntilExit()
        let text = try Files.text(log)
        #expect(recorder.terminationStatus == 0 && text.contains("ended: stopped"), "\(text)")
        #expect(text.contains("warning: \(file) keeps whole packets"))
        #expect(Files.permissions(file) == 0o600)

        let trace = try TraceSummary(file).document
        let came = number(after, "packets", "in") - number(before, "packets", "in")
        let went = number(after, "packets", "out") - number(before, "packets", "out")
        #expect(came >= 30 && records(trace, "in", "packet") == came)
        #expect(went >= 30 && records(trace, "out", "packet") == went)
        #expect(records(trace, "in", "datagram") > came)
        #expect(trace["end"]?.text == "asked" && trace["dropped"]?.integer == 0)
        #expect(number(after, "trace", "dropped") == 0 && number(after, "trace", "records") > 0)

        let running = try replay(net, file, to: second)
        #expect(running.code == 1 && running.errors.contains("runs"), "\(running.errors)")
        net.tunnelProcess.terminate()
        net.tunnelProcess.waitUntilExit()
        try expectRefused(net, file, by: second, count: came)
        try expectRefused(net, file, by: net.relay, count: came)
    }

    private func replay(
        _ net: TunnelNet,
        _ file: String,
        to config: String
    ) throws -> Program.Outcome {
        let address = try #require(try status(config)["address"]?.text)
        return try Program.run([
            "trace", "replay", "--in", file, "--config", net.entry, "--to", address, "--rate",
            "2000", "--json",
        ])
    }

    /// All packets of a trace arrive at a relay, and none goes on.
    private func expectRefused(
        _ net: TunnelNet,
        _ file: String,
        by config: String,
        count: Int
    ) throws {
        let before = try status(config)
        let outcome = try replay(net, file, to: config)
        #expect(outcome.code == 0, "\(outcome.errors)")
        let done = try JSON.parse(outcome.output)
        #expect(number(done, "sent", "packet") == count)
        #expect(done["as_recorded"]?.integer == count && done["without_link"]?.integer == 0)
        func change(_ name: String) -> Int {
            guard let now = try? status(config) else { return -1 }
            return number(now, "packets", name) - number(before, "packets", name)
        }
        try net.fixture.wait { change("dropped") == count }
        #expect(change("in") == count && change("dropped") == count)
        #expect(change("forwarded") == 0 && change("delivered") == 0)
    }

    @Test func `a recording ends by itself, with the node, and with its program`() throws {
        let net = try TunnelNet()
        let folder = net.fixture.folder
        func expectEnd(_ name: String, _ end: TraceEnd, code: Int32, _ words: [String]) throws {
            let file = "\(folder)/\(name).trace"
            let (recorder, log) = try record(net, file, words)
            switch end {
            case .bytes: while recorder.isRunning { net.load(times: 5) }
            case .upgrade: #expect(try Program.run(["upgrade", "--config", net.relay]).code == 0)
            case .stop: net.relayProcess.terminate()
            case .asked, .seconds, .disk, .unasked: break
            }
            recorder.waitUntilExit()
            let text = try Files.text(log)
            #expect(recorder.terminationStatus == code, "\(text)")
            #expect(text.contains("ended: \(end.text)\n"), "\(text)")
            #expect(text.split(separator: "\n").count == 1, "\(text)")
            let summary = try TraceSummary(file)
            #expect(summary.end == end)
            #expect(summary.document["kept_most"]?.integer == 16)
        }
        try expectEnd("seconds", .seconds, code: 0, ["--seconds", "1"])
        try expectEnd("bytes", .bytes, code: 0, ["--bytes", "4096"])
        #expect(try Files.read("\(folder)/bytes.trace").count <= 4_096)
        try expectEnd("upgrade", .upgrade, code: 1, [])
        try expectEnd("stop", .stop, code: 1, [])
        let log = try Files.text("\(folder)/node-1.log")
        #expect(log.contains("seconds.trace ended: the time is over"))
    }

    @Test func `a recording goes on when a new packet key is served`() throws {
        let fixture = try Fixture()
        try fixture.startLedger(["--key-grace-s", "1"])
        let port = try Fixture.freePort()
        let config = try fixture.makeNode("node", port: port)
        _ = try fixture.startNode(config)
        let file = "\(fixture.folder)/x.trace"
        let words = ["trace", "record", "--config", config, "--out", file]
        let recorder = try fixture.start(words, log: "record.log")
        /// Sends what nobody knows until so many datagrams were recorded.
        func expectRecords(_ count: Int) throws {
            let socket = try UDPSocket(connect: Endpoint(ipv4: 127, 0, 0, 1, port: port))
            try fixture.wait {
                socket.send([UInt8](repeating: 0xee, count: 1_452))
                let status = try? status(config)
                return status.map { number($0, "trace", "records") >= count } ?? false
            }
        }
        try expectRecords(1)
        let rotated = try Program.run(
            ["keygen", "--out", "\(fixture.folder)/node/keys", "--rotate"],
            environment: ["DRAY_PASSPHRASE": "secret"]
        )
        #expect(rotated.code == 0)
        try fixture.wait {
            let log = try? Files.text("\(fixture.folder)/node-1.log")
            return log?.contains("serving a new packet key") == true
        }
        let before = number(try status(config), "trace", "records")
        try expectRecords(before + 2)
        recorder.interrupt()
        recorder.waitUntilExit()
        let text = try Files.text("\(fixture.folder)/record.log")
        #expect(recorder.terminationStatus == 0 && text.contains("ended: stopped"), "\(text)")
        let trace = try TraceSummary(file).document
        #expect(records(trace, "in", "datagram") >= before + 2)
        #expect(trace["links"]?.elements?.count == 1 && trace["links"]?[0]?["link"]?.integer == 0)
    }
}
