internal import Bytes
internal import JSON

/// Answers of the ledger as JSON, both ways.
enum LedgerWire {
    static func hex(_ bytes: [UInt8]) -> JSON { .string(Hex.encode(bytes)) }

    static func receipt(_ receipt: Receipt) -> JSON {
        [
            "ok": true, "nonce": .integer(receipt.nonce),
            "refusal": receipt.refusal.map { .string($0.code) } ?? .null,
            "redeemed": .integer(receipt.redeemed), "keyID": .integer(receipt.keyID),
            "sequence": .integer(receipt.sequence),
        ]
    }

    static func receipt(_ answer: JSON) -> Receipt? {
        guard let nonce = answer["nonce"]?.unsigned, let redeemed = answer["redeemed"]?.unsigned,
            let keyID = answer["keyID"]?.unsigned, let sequence = answer["sequence"]?.unsigned,
            let redeemed = UInt32(exactly: redeemed), let keyID = UInt32(exactly: keyID)
        else { return nil }
        var refusal: Refusal?
        if let code = answer["refusal"]?.text {
            guard let known = Refusal(code: code) else { return nil }
            refusal = known
        }
        return Receipt(
            nonce: nonce,
            refusal: refusal,
            redeemed: redeemed,
            keyID: keyID,
            sequence: sequence
        )
    }

    static func status(_ ledger: Ledger, _ nowMillis: UInt64) -> JSON {
        [
            "ok": true, "parameters": hex(ledger.parameters.record),
            "sequence": .integer(ledger.sequence),
            "millis": .integer(max(nowMillis, ledger.lastMillis)),
            "treasury": .string("\(ledger.treasury)"), "total": .string("\(ledger.total)"),
            "accounts": .integer(ledger.accounts.count),
            "channels": .integer(ledger.channels.count), "nodes": .integer(ledger.nodes.count),
        ]
    }

    static func status(_ answer: JSON) -> LedgerStatus? {
        guard let record = answer["parameters"]?.text.flatMap({ Hex.decode($0) }),
            let parameters = LedgerParameters(record: record),
            let sequence = answer["sequence"]?.unsigned, let millis = answer["millis"]?.unsigned,
            let treasury = answer["treasury"]?.text.flatMap({ UInt128($0) }),
            let total = answer["total"]?.text.flatMap({ UInt128($0) }),
            let accounts = answer["accounts"]?.integer, let channels = answer["channels"]?.integer,
            let nodes = answer["nodes"]?.integer
        else { return nil }
        return LedgerStatus(
            parameters: parameters,
            sequence: sequence,
            millis: millis,
            treasury: treasury,
            total: total,
            accountCount: accounts,
            channelCount: channels,
            nodeCount: nodes
        )
    }
}
