import Bytes
import Exchange
import Foundation
import JSON
import Synchronization
import Testing

@testable import Node

/// Sends every datagram back.
final class Echo: Sendable {
    let socket: UDPSocket
    private let isStopping = Atomic<Bool>(false)

    init() throws { socket = try UDPSocket(bind: Endpoint(ipv4: 127, 0, 0, 1, port: 0)) }

    func run() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !isStopping.load(ordering: .acquiring) {
            _ = UDPSocket.wait([socket.file], millis: 20)
            while let (bytes, from) = socket.receive(&buffer) { socket.send(bytes, to: from) }
        }
    }

    func stop() { isStopping.store(true, ordering: .releasing) }
}

extension Fixture {
    /// The chain address of a running node.
    func address(of config: String) throws -> String {
        let text = try Program.run(["status", "--config", config, "--json"]).output
        return try #require(try JSON.parse(text)["address"]?.text)
    }

    /// Opens a channel of a running node, and waits until it is open.
    func open(_ config: String, to address: String, amount: Int) throws {
        let words = ["channels", "open", "--config", config, "--to", address]
        let outcome = try Program.run(words + ["--amount", "\(amount)"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        try wait {
            let list = try? Program.run(["channels", "list", "--config", config, "--json"]).output
            let channels = list.flatMap { try? JSON.parse($0) }?["channels"]?.elements ?? []
            return channels.contains { $0["status"]?.text == "open" }
        }
    }
}

/// A network of programs with a tunnel through a relay, and what goes through it.
final class TunnelNet {
    let fixture: Fixture
    let entry: String
    let relay: String
    let exit: String
    let relayProcess: Process
    let tunnelProcess: Process
    private let echo: Echo
    private let echoThread: ControlThread
    private let client: UDPSocket
    private(set) var sent = 0
    private(set) var answered = Set<Int>()
    private(set) var answers = 0
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(relayMore: String = "") throws {
        fixture = try Fixture()
        let echo = try Echo()
        self.echo = echo
        echoThread = ControlThread("echo") { echo.run() }
        try fixture.startLedger(["--grant", "1000000000", "--supply", "100000000000"])
        let target = "127.0.0.1:\(echo.socket.port)"
        let entry = try fixture.makeNode("entry", port: try Fixture.freePort())
        self.entry = entry
        relay = try fixture.makeNode("relay", port: try Fixture.freePort(), more: relayMore)
        exit = try fixture.makeNode(
            "exit",
            port: try Fixture.freePort(),
            more: "[exit]\ntargets = [\"\(target)\"]\n"
        )
        relayProcess = try fixture.startNode(relay)
        _ = try fixture.startNode(exit)
        let relayAddress = try fixture.address(of: relay)
        let exitAddress = try fixture.address(of: exit)
        try fixture.open(exit, to: relayAddress, amount: 100_000_000)
        let port = try Fixture.freePort()
        tunnelProcess = try fixture.start(
            [
                "tunnel", "--config", entry, "--listen", "127.0.0.1:\(port)", "--to", target,
                "--exit", exitAddress, "--hops", "1",
            ],
            log: "tunnel.log"
        )
        try fixture.wait { (try? Program.run(["status", "--config", entry]))?.code == 0 }
        try fixture.open(entry, to: relayAddress, amount: 100_000_000)
        client = try UDPSocket(connect: Endpoint(ipv4: 127, 0, 0, 1, port: port))
        // Paths become known a moment later.
        try fixture.wait { [self] in
            send()
            receive(millis: 200)
            return !answered.isEmpty
        }
        receive(millis: 500)
        sent = 0
        answered = []
        answers = 0
    }

    deinit {
        echo.stop()
        echoThread.join()
    }

    /// Sends the next datagram.
    func send() {
        client.send(Array("datagram \(sent)".utf8))
        sent += 1
    }

    /// Takes what comes back within a time.
    func receive(millis: Int) {
        while UDPSocket.wait([client.file], millis: millis)[0] {
            while let (bytes, _) = client.receive(&buffer) {
                let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
                answers += 1
                if let number = words.last.flatMap({ Int($0) }) { answered.insert(number) }
            }
        }
    }

    /// Sends and takes while something goes on elsewhere.
    func load(while goesOn: () -> Bool) {
        while goesOn() {
            send()
            receive(millis: 2)
        }
    }

    /// True if a datagram comes back, of several.
    func relays() -> Bool {
        let before = answered.count
        for _ in 0..<100 where answered.count == before {
            send()
            receive(millis: 100)
        }
        return answered.count > before
    }

    /// Sends and takes, so many times.
    func load(times: Int) {
        for _ in 0..<times {
            send()
            receive(millis: 2)
        }
    }
}

/// Runs a program on a thread of its own.
final class Background: Sendable {
    private let outcome = Mutex<Program.Outcome?>(nil)

    init(_ arguments: [String]) {
        Thread { [self] in
            let done = try? Program.run(arguments)
            outcome.withLock { $0 = done ?? Program.Outcome(code: -1, output: "", errors: "") }
        }.start()
    }

    var result: Program.Outcome? { outcome.withLock { $0 } }
}
