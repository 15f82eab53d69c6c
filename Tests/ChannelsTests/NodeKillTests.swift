import Bytes
import Chain
import Channels
import Foundation
import LedgerSupport
import Store
import TestSupport
import Testing
import Tickets

/// A node and a ledger as processes; the node is killed at any moment, two hundred times.
@Suite struct NodeKillTests {
    @Test func `two hundred kills lose no stored ticket, invent none, and pay each once`() throws {
        var random = SeededGenerator("node kills")
        let ledgerFolder = TemporaryFolder("kill-node-ledger")
        let folder = TemporaryFolder("kill-node")
        let socket = ledgerFolder.path + ".s"
        defer { unlink(socket) }
        let program = helperExecutable("kill-loop")
        let ledger = try Victim(program, ["ledger", ledgerFolder.path, socket])
        defer { ledger.kill() }
        #expect(ledger.line() == "ready")
        let client = LedgerClient(socket: socket)
        let domain = try client.status().parameters.domain
        let fund = LedgerAction.fund(destination: Player(2).address, amount: 50_000_000)
        #expect(try client.submit(Player(1).sign(fund, domain)).refusal == nil)

        var stored = Set<UInt64>()
        for round in 0..<200 {
            let node = try Victim(program, ["node", folder.path, socket, "\(round * 1_000)"])
            #expect(node.line() == "ready")
            // Now and then only once it has stored something: else a slow machine gets nowhere.
            var isArmed = round % 4 != 0
            if isArmed { node.kill(afterMillis: Int(random.next() % 80)) }
            while let line = node.line() {
                let indices = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
                stored.formUnion(indices)
                if !isArmed { node.kill(afterMillis: Int(random.next() % 80)) }
                isArmed = true
            }
            #expect(node.wait() == -SIGKILL)
        }
        let last = try Victim(program, ["node", folder.path, socket, "drain"])
        while let line = last.line() { if line == "done" { break } }
        #expect(last.wait() == 0)
        print("node kills: \(stored.count) tickets stored")
        #expect(stored.count >= 50)
        try audit(folder.path, client, stored)
    }

    private func audit(_ folder: String, _ client: LedgerClient, _ stored: Set<UInt64>) throws {
        let store = try NodeStore(folder: folder)
        let claims = try store.claims(after: nil, limit: .max)
        let channel = try #require(try client.allChannels().first)
        let parameters = try client.status().parameters
        let missing = stored.subtracting(claims.map(\.key.index)).sorted()
        #expect(missing.isEmpty)
        // A group commit in doubt holds at most two tickets a kill.
        #expect(claims.count <= stored.count + 2 * 200)
        for claim in claims {
            #expect(claim.state == .settled || claim.state == .lost)
            let made = TestTicket(
                issuer: Player(1).chain,
                channel: channel,
                parameters: parameters,
                index: claim.key.index,
                amount: 10,
                probability: try #require(WinProbability(0.5))
            )
            #expect(claim.ticket == made.ticket.bytes)
            #expect(claim.response == made.response)
        }
        let paid = claims.filter { $0.state == .settled }.reduce(UInt128(0)) { $0 + $1.amount }
        #expect(channel.balance == 50_000_000 - paid)
        #expect(try client.account(Player(2).address)?.balance == 1_000 + paid)
        #expect(try client.status().total == parameters.supply)
        var redeemed = Set<UInt64>()
        var view = LedgerView()
        for event in try view.follow(client) {
            guard case .redeemed(_, let index, _) = event.kind else { continue }
            #expect(redeemed.insert(index).inserted)
        }
        let settled = Set(claims.filter { $0.state == .settled }.map(\.key.index))
        let difference = redeemed.symmetricDifference(settled).sorted()
        #expect(difference.isEmpty)
        let totals = try #require(try store.load().totals.values.first)
        #expect(totals.received == UInt64(claims.count))
        #expect(totals.redeemedValue == paid)
        #expect(totals.won == totals.redeemed)
    }
}
