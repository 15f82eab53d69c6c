import Bytes
import Chain
import Exchange
import Foundation
import JSON
import LedgerSupport
import LocalSocket
import Store
import TestSupport
import Testing

/// A ledger served from a thread of this process.
final class ServedLedger: Sendable {
    let folder = TemporaryFolder("ledger")
    let server: LedgerServer
    let parameters = testParameters()
    let done = DispatchSemaphore(value: 0)
    var socket: String { folder.path + "/s" }

    init(genesis: [(Address, UInt128)]) throws {
        let store = try LedgerStore(
            folder: folder.path,
            parameters: parameters,
            genesis: genesis
        )
        server = try LedgerServer(store, socket: folder.path + "/s")
        let (server, done) = (server, done)
        Thread.detachNewThread {
            try? server.run()
            done.signal()
        }
    }

    func stop() {
        server.stop()
        done.wait()
    }
}

@Suite struct LedgerServerTests {
    let alice = Player(1)
    let bob = Player(2)

    func serve() throws -> ServedLedger {
        try ServedLedger(genesis: [(alice.address, 5_000), (bob.address, 10)])
    }

    @Test func `a client sees what the ledger has`() throws {
        let ledger = try serve()
        defer { ledger.stop() }
        let client = LedgerClient(socket: ledger.socket)
        let domain = ledger.parameters.domain
        #expect(try client.status().parameters == ledger.parameters)
        #expect(try client.status().total == 1_000_000)
        let home = Endpoint(ipv4: 127, 0, 0, 1, port: 7)
        #expect(try client.submit(alice.announce(home, domain)).keyID == 1)
        let fund = alice.sign(.fund(destination: bob.address, amount: 700), domain)
        let receipt = try client.submit(fund)
        #expect(receipt.refusal == nil)
        #expect(try client.submit(fund) == receipt)
        #expect(try client.account(alice.address)?.balance == 4_300)
        #expect(try client.account(Player(9).address) == nil)
        #expect(try client.allAccounts().count == 2)
        let view = try LedgerView(of: client)
        #expect(view.channels.values.map(\.balance) == [700])
        #expect(view.nodes[1]?.endpoint == home)
        #expect(try client.events(since: 0).map(\.sequence) == [1, 2])
        #expect(try client.status().total == 1_000_000)
    }

    @Test func `pages hold everything`() throws {
        let ledger = try serve()
        defer { ledger.stop() }
        let client = LedgerClient(socket: ledger.socket)
        for number in 0..<300 {
            let someone = Player.key(
                Array(repeating: 3, count: 30) + [UInt8(number / 256), UInt8(number % 256)]
            )
            let receipt = try client.submit(
                alice.sign(
                    .transfer(to: someone.address, amount: 1),
                    ledger.parameters.domain
                )
            )
            #expect(receipt.refusal == nil)
        }
        #expect(try client.allAccounts().count == 302)
        var view = LedgerView()
        #expect(try view.follow(client).count == 300)
    }

    @Test func `only the owner can open the socket`() throws {
        let ledger = try serve()
        defer { ledger.stop() }
        let attributes = try FileManager.default.attributesOfItem(atPath: ledger.socket)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `a second ledger on the folder gets one clear error`() throws {
        let ledger = try serve()
        defer { ledger.stop() }
        do {
            _ = try LedgerStore(folder: ledger.folder.path, parameters: ledger.parameters)
            Issue.record("opened twice")
        } catch {
            guard case .store(.folderInUse) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func `a ledger made with another chain id is refused`() throws {
        let folder = TemporaryFolder("ledger")
        var parameters = testParameters()
        do { _ = try LedgerStore(folder: folder.path, parameters: parameters) }
        parameters.chainID += 1
        #expect(throws: LedgerError.otherLedger(folder: folder.path)) {
            try LedgerStore(folder: folder.path, parameters: parameters)
        }
    }

    @Test func `accounts cannot ask for more than there is`() throws {
        let folder = TemporaryFolder("ledger")
        #expect(throws: LedgerError.parameters) {
            try LedgerStore(
                folder: folder.path,
                parameters: testParameters(supply: 10),
                genesis: [(alice.address, 11)]
            )
        }
    }

    // MARK: Garbage

    @Test func `garbage gets a code, and the ledger goes on`() throws {
        let ledger = try serve()
        defer { ledger.stop() }
        var random = SeededGenerator("garbage")
        let before = try LedgerClient(socket: ledger.socket).status()
        let lines: [[UInt8]] = [
            [], Array("{}".utf8), Array("[]".utf8), Array("{\"do\":\"fly\"}".utf8),
            Array("{\"do\":\"events\",\"since\":-1}".utf8),
            Array("{\"do\":\"events\",\"since\":18446744073709551615}".utf8),
            Array("{\"do\":\"nodes\",\"after\":99999999999}".utf8),
            Array("{\"do\":\"account\",\"address\":\"zz\"}".utf8),
            Array("{\"do\":\"submit\",\"request\":\"00\"}".utf8),
            Array(repeating: UInt8(ascii: "["), count: 100_000),
            Array(repeating: UInt8(ascii: "{"), count: 1_000), [0xff, 0xfe, 0x00],
        ]
        for line in lines + (0..<50).map({ _ in random.bytes(100).filter { $0 != 10 } }) {
            var client = try LineClient(path: ledger.socket)
            let answer = try JSON.parse(client.request(line))
            if answer["ok"]?.bool != true {
                #expect(answer["code"]?.text.flatMap(Refusal.init(code:)) == .malformed)
            }
        }
        let after = try LedgerClient(socket: ledger.socket).status()
        #expect(after.sequence == before.sequence)
        #expect(after.total == before.total)
    }

    @Test func `a line that never ends is cut off, others are served`() throws {
        let ledger = try serve()
        defer { ledger.stop() }
        var limits = LineLimits()
        limits.lineBytes = 10 << 20
        var greedy = try LineClient(path: ledger.socket, limits: limits)
        #expect(throws: LocalSocketError.self) {
            try greedy.request([UInt8](repeating: 65, count: 5 << 20))
        }
        #expect(try LedgerClient(socket: ledger.socket).status().total == 1_000_000)
    }

    @Test func `slow writers do not hold up the others`() throws {
        let ledger = try serve()
        defer { ledger.stop() }
        let slow = (0..<20).map { _ in RawConnection(ledger.socket) }
        for connection in slow { connection.write("{\"do\":") }
        let client = LedgerClient(socket: ledger.socket)
        for _ in 0..<20 { #expect(try client.status().total == 1_000_000) }
        for connection in slow { connection.write("\"status\"}\n") }
        for connection in slow { #expect(connection.readSome().contains("\"ok\":true")) }
    }

    @Test func `more connections than the limit push out the idle ones`() throws {
        let ledger = try serve()
        defer { ledger.stop() }
        let many = (0..<200).map { _ in RawConnection(ledger.socket) }
        // A server that is slow to accept has its queue full for a moment: ask again.
        var total: UInt128?
        for _ in 0..<1_000 where total == nil {
            total = try? LedgerClient(socket: ledger.socket).status().total
            if total == nil { usleep(5_000) }
        }
        #expect(total == 1_000_000)
        #expect(many.count == 200)
    }

    @Test func `a client connects again after the ledger was restarted`() throws {
        let folder = TemporaryFolder("ledger")
        let client = LedgerClient(socket: folder.path + "/s")
        #expect(throws: ChainError.self) { try client.status() }
        for _ in 0..<3 {
            let store = try openWhenFree(folder.path)
            let server = try LedgerServer(store, socket: folder.path + "/s")
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                try? server.run()
                done.signal()
            }
            let receipt = try client.submit(
                alice.sign(.transfer(to: bob.address, amount: 1), testParameters().domain)
            )
            #expect(receipt.refusal == nil)
            server.stop()
            done.wait()
        }
        let store = try openWhenFree(folder.path)
        #expect(store.ledger.accounts[bob.address]?.balance == 3)
    }

    /// The thread that served a ledger lets go of it a moment after it has said that it is done.
    private func openWhenFree(_ folder: String) throws -> LedgerStore {
        for _ in 0..<1_000 {
            do {
                return try LedgerStore(
                    folder: folder,
                    parameters: testParameters(),
                    genesis: [(alice.address, 5_000)]
                )
            } catch {
                guard "\(error)".contains("folder in use") else { throw error }
                usleep(5_000)
            }
        }
        return try LedgerStore(folder: folder, parameters: testParameters())
    }
}

/// A connection that speaks bytes, not lines.
final class RawConnection {
    private let file: Int32

    init(_ path: String) {
        file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        _ = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    deinit { close(file) }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    func readSome() -> String {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(file, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
