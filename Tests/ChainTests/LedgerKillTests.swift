import Bytes
import Chain
import Foundation
import LedgerSupport
import Store
import TestSupport
import Testing

@Suite struct LedgerKillTests {
    @Test func `two hundred kills lose no answer, invent none, and keep the sum`() throws {
        var random = SeededGenerator("ledger kills")
        let folder = TemporaryFolder("kill-ledger")
        let parameters = testParameters(supply: 1_000_000_000)
        let socket = folder.path + ".s"
        defer { unlink(socket) }
        let model = InProcessLedger(parameters, genesis: killGenesis)
        let players = (1...3).map { Player(UInt8($0)) }
        let client = LedgerClient(socket: socket)
        var answered = 0
        for _ in 0..<200 {
            let victim = try Victim(
                helperExecutable("kill-loop"),
                ["ledger", folder.path, socket]
            )
            #expect(victim.line() == "ready")
            try compare(client, model, players)
            victim.kill(afterMillis: Int(random.next() % 40))
            while true {
                let player = players[Int(random.next() % 3)]
                let request = player.sign(action(players, &random), parameters.domain)
                guard let receipt = try? client.submit(request) else {
                    _ = victim.wait()
                    try settle(request, client, model, folder.path, socket)
                    break
                }
                #expect(model.ask(request) == receipt)
                answered += 1
            }
        }
        print("ledger kills: \(answered) requests answered")
        #expect(answered > 200)
        let store = try LedgerStore(folder: folder.path, parameters: parameters)
        #expect(store.ledger.total == parameters.supply)
        #expect(store.ledger.accounts == model.ledger.accounts)
        #expect(store.ledger.channels == model.ledger.channels)
    }

    /// The request in doubt was carried out once or not at all; sending it again settles that.
    private func settle(
        _ request: SignedRequest,
        _ client: LedgerClient,
        _ model: InProcessLedger,
        _ folder: String,
        _ socket: String
    ) throws {
        let store = try LedgerStore(folder: folder, parameters: model.ledger.parameters)
        let carriedOut =
            store.ledger.sequence != model.ledger.sequence
            || store.ledger.accounts != model.ledger.accounts
        model.ask(request)
        if carriedOut { #expect(store.ledger.accounts == model.ledger.accounts) }
        let receipt = try store.apply(request, nowMillis: 1)
        let account = LedgerRequest(bytes: request.bytes).flatMap {
            model.ledger.accounts[$0.from]
        }
        #expect(receipt == account?.receipt)
        #expect(store.ledger.accounts == model.ledger.accounts)
    }

    private func compare(
        _ client: LedgerClient,
        _ model: InProcessLedger,
        _ players: [Player]
    ) throws {
        let status = try client.status()
        #expect(status.total == model.ledger.parameters.supply)
        #expect(status.sequence == model.ledger.sequence)
        for player in players {
            #expect(
                try client.account(player.address) == model.ledger.accounts[player.address]
            )
        }
    }

    private func action(
        _ players: [Player],
        _ random: inout SeededGenerator
    ) -> LedgerAction {
        let other = players[Int(random.next() % 3)].address
        let amount = UInt128(random.next() % 1_000)
        return random.next() % 3 == 0
            ? .fund(destination: other, amount: amount) : .transfer(to: other, amount: amount)
    }
}
