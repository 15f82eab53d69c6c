import Bytes
import JSON
import LocalSocket
import Synchronization
import Testing
import TestSupport

@testable import Node

private let address = Address([UInt8](repeating: 7, count: 20)) ?? Address()

private final class Calls: Sendable {
    let made = Mutex([AdminRequest]())
}

private func desk(_ calls: Calls) -> AdminDesk {
    AdminDesk(logger: Logger(level: .error)) { request throws(AdminError) in
        calls.made.withLock { $0.append(request) }
        if request == .redeem { throw AdminError("nothing to redeem") }
        return ["done": true]
    }
}

private func ask(_ desk: AdminDesk, _ text: String) throws -> JSON {
    let answer = desk.answer(Array(text.utf8))
    #expect(!answer.contains(UInt8(ascii: "\n")))
    return try JSON.parse(answer)
}

@Suite struct AdminTests {
    @Test(
        arguments: [
            AdminRequest.status, .channels, .tickets, .redeem, .reload,
            .openChannel(to: address, amount: 340_282_366_920_938_463_463_374_607_431_768_211_455),
            .fundChannel(to: address, amount: 1), .closeChannel(to: address),
            .beginTrace(TraceWish(file: "/x")), .traceState(file: "/x"), .endTrace(file: "/x"),
            .beginTrace(
                TraceWish(file: "/y", isWhole: true, replaces: true, seconds: 1, bytes: 1 << 20)
            ),
        ])
    func `a request survives the wire`(request: AdminRequest) throws {
        let document = try JSON.parse(request.document(id: "x").description)
        #expect(try AdminRequest(document) == request)
    }

    @Test(
        arguments: [
            "", "[]", "{}", "nonsense", "{\"verb\":1}", "{\"verb\":\"fly\"}",
            "{\"verb\":\"open-channel\"}",
            "{\"verb\":\"open-channel\",\"to\":\"07\",\"amount\":\"1\"}",
            "{\"verb\":\"trace-begin\"}", "{\"verb\":\"trace-end\",\"file\":\"x\"}",
            "{\"verb\":\"trace-begin\",\"file\":\"/x\",\"seconds\":0}",
            "{\"verb\":\"trace-begin\",\"file\":\"/x\",\"bytes\":1.5}",
            "{\"verb\":\"close-channel\",\"to\":7}", "\u{0}", "{\"verb\":\"status\"} {}",
        ])
    func `a wrong request gets a reason and changes nothing`(text: String) throws {
        let calls = Calls()
        let answer = try ask(desk(calls), text)
        #expect(answer["ok"]?.bool == false)
        #expect(answer["error"]?.text?.isEmpty == false)
        #expect(calls.made.withLock { $0.isEmpty })
    }

    @Test func `an amount of nothing, or of too much, is refused`() throws {
        for amount in ["0", "-1", "1.5", "", "340282366920938463463374607431768211456"] {
            let text =
                "{\"verb\":\"fund-channel\",\"to\":\"\(address.hex)\",\"amount\":\"\(amount)\"}"
            #expect(try ask(desk(Calls()), text)["ok"]?.bool == false)
        }
    }

    @Test func `a repeated change is made once, a repeated question answered again`() throws {
        let calls = Calls()
        let desk = desk(calls)
        let change = AdminRequest.fundChannel(to: address, amount: 5).document(id: "a").description
        #expect(try ask(desk, change) == (try ask(desk, change)))
        #expect(calls.made.withLock { $0.count } == 1)
        let question = AdminRequest.status.document(id: "b").description
        _ = try ask(desk, question)
        _ = try ask(desk, question)
        #expect(calls.made.withLock { $0.count } == 3)
    }

    @Test func `a refusal is an answer`() throws {
        let answer = try ask(desk(Calls()), AdminRequest.redeem.document(id: "r").description)
        #expect(answer["error"]?.text == "nothing to redeem")
    }

    @Test func `garbage gets answers over the socket and never stops it`() throws {
        let folder = try Files.makeTemporaryFolder("dray-test")
        defer { Files.removeTree(folder) }
        let desk = desk(Calls())
        let path = "\(folder)/admin.sock"
        let server = try LineServer(path: path) { desk.answer($0) }
        let thread = ControlThread("admin-test") { server.run() }
        defer {
            server.stop()
            thread.join()
        }
        var generator = SeededGenerator("admin garbage")
        for _ in 0..<200 {
            var line = generator.bytes(Int(generator.next() % 300))
            line.removeAll { $0 == UInt8(ascii: "\n") }
            var client = try LineClient(path: path)
            let answer = try JSON.parse(try client.request(line))
            #expect(answer["ok"]?.bool == false)
        }
        #expect(try AdminClient.ask(.status, socket: path)["done"]?.bool == true)
    }

    @Test func `nobody at the socket is told apart from a refusal`() throws {
        #expect { try AdminClient.ask(.status, socket: "/nowhere/admin.sock") } throws: { error in
            if case .unreachable = error as? AdminClientError { true } else { false }
        }
    }
}
