import Bytes
import Chain
import Crypto
import FoundationEssentials
import Tickets

/// What reaches the ledger: a first byte chooses a line to its socket, or the fields of requests
/// that get a right signature. Money is neither made nor lost by any of it.
func fuzzLedgerSocket(_ input: [UInt8]) {
    guard let kind = input.first else { return }
    if kind & 1 == 0 {
        line(Array(input.dropFirst()))
    } else {
        requests(Array(input.dropFirst()))
    }
}

private let parameters = LedgerParameters(
    chainID: 1,
    contract: Address(),
    noticeMillis: 1_000,
    grant: 1_000,
    supply: 1_000_000
)

private func line(_ bytes: [UInt8]) {
    let answer = LedgerDesk.shared.service.answer(bytes, nowMillis: 1)
    precondition(!answer.contains(UInt8(ascii: "\n")), "an answer is one line")
    precondition(answer.starts(with: Array("{\"ok\":".utf8)), "an answer says whether it is one")
}

/// Requests of two accounts, each behind a choice and two length bytes: parsed, signed, applied.
private func requests(_ bytes: [UInt8]) {
    let keys = LedgerDesk.keys
    let genesis = keys.map { ($0.address, UInt128(100_000)) }
    guard var ledger = Ledger(parameters, genesis: genesis) else { fatalError("no ledger") }
    var input = FuzzInput(bytes)
    var nonce: UInt64 = 0
    while !input.rest.isEmpty && nonce < 32 {
        let choice = input.byte()
        let count = Int(input.byte()) << 8 | Int(input.byte())
        let body = input.bytes(min(count, input.rest.count))
        guard var request = LedgerRequest(bytes: body) else { continue }
        precondition(request.bytes == body, "a request has one form")
        nonce += 1
        let key = keys[Int(choice) % keys.count]
        request.from = key.address
        request.nonce = choice & 2 == 0 ? nonce : request.nonce
        guard let signed = try? SignedRequest(request, key: key, domain: ledger.domain) else {
            fatalError("our own signature")
        }
        let outcome = ledger.apply(signed, nowMillis: nonce * 700)
        precondition(ledger.total == parameters.supply, "money was made or lost")
        if outcome.receipt.refusal != nil {
            let isClean = outcome.channels.isEmpty && outcome.nodes.isEmpty
            precondition(isClean, "a refusal changed something")
        }
    }
}

/// A ledger on disk for lines; its folder is gone as soon as it is open.
private final class LedgerDesk: Sendable {
    static let shared = LedgerDesk()
    static let keys: [ChainKey] = [1, 2].compactMap { (byte: UInt8) in
        var secret = Bytes32()
        secret[31] = byte
        return secret.withRegion { ChainKey(secret: $0) }
    }

    let service: LedgerService

    private init() {
        let name = "dray-fuzz-\(UInt64.random(in: .min ... .max))"
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        guard let store = try? LedgerStore(folder: folder, parameters: parameters) else {
            fatalError("no ledger in \(folder)")
        }
        try? FileManager.default.removeItem(atPath: folder)
        service = LedgerService(store)
    }
}
