import Bytes
import Chain
import JSON
import LocalSocket
import Node
import Tickets

extension Verb {
    static let ledgerServe = Verb(
        name: "ledger serve",
        summary: "run the local settlement layer",
        options: [
            Option(name: "data", value: "DIR", help: "the ledger's folder", required: true),
            Option(name: "socket", value: "PATH", help: "where it listens; else DIR/ledger.sock"),
            Option(name: "chain-id", value: "N", help: "of its domain separator; else 1"),
            Option(name: "contract", value: "ADDRESS", help: "of its domain separator; else zero"),
            Option(name: "rule", value: "RULE", help: "commitment (else) or vrf"),
            Option(name: "profile", value: "NAME", help: "head (else), v4 or mix13"),
            Option(name: "supply", value: "N", help: "all money there is; else 10^24"),
            Option(name: "grant", value: "N", help: "for each new account; else 10^18"),
            Option(name: "notice-s", value: "N", help: "from notice to closing; else 60"),
            Option(
                name: "key-grace-s",
                value: "N",
                help: "a replaced packet key lives on; else 600"
            ),
        ],
        example: "dray ledger serve --data /var/lib/dray-ledger",
        json: false,
        run: serveLedger
    )

    static let ledgerStatus = Verb(
        name: "ledger status",
        summary: "accounts, channels, and their sum, which never changes",
        options: [
            Option(name: "socket", value: "PATH", help: "the ledger's socket", required: true)
        ],
        example: "dray ledger status --socket /var/lib/dray-ledger/ledger.sock",
        run: showLedger
    )
}

private func serveLedger(_ arguments: Arguments) throws(Failure) {
    let parameters = try ledgerParameters(arguments)
    let folder = arguments.value("data")
    let socket = arguments["socket"] ?? "\(folder)/ledger.sock"
    let signals = Signals()
    let server = try makeServer(folder, parameters, socket)
    writeLine("dray: ledger listens on \(socket)")
    let stopper = ControlThread("ledger-signals") {
        while signals.next(millis: 60_000) != .stop {}
        server.stop()
    }
    _ = stopper
    do {
        try server.run()
    } catch {
        throw .failed("\(error)")
    }
}

private func makeServer(
    _ folder: String,
    _ parameters: LedgerParameters,
    _ socket: String
) throws(Failure) -> LedgerServer {
    let store: LedgerStore
    do throws(LedgerError) {
        store = try LedgerStore(folder: folder, parameters: parameters)
    } catch {
        throw .failed(error.description)
    }
    do throws(LocalSocketError) {
        return try LedgerServer(store, socket: socket)
    } catch {
        throw .failed(error.description)
    }
}

private func ledgerParameters(_ arguments: Arguments) throws(Failure) -> LedgerParameters {
    let contract = arguments["contract"] ?? String(repeating: "0", count: 40)
    guard let contract = Address(hex: contract) else {
        throw .usage("--contract \(contract): not 20 bytes in hexadecimal")
    }
    let rule = arguments["rule"] ?? "commitment"
    guard rule == "commitment" || rule == "vrf" else {
        throw .usage("--rule \(rule): neither commitment nor vrf")
    }
    let profile = arguments["profile"] ?? "head"
    guard ["head", "v4", "mix13"].contains(profile) else {
        throw .usage("--profile \(profile): not one of head, v4, mix13")
    }
    let year = 31_536_000
    return LedgerParameters(
        chainID: UInt64(try arguments.integer("chain-id", 1, in: 0...Int.max)),
        contract: contract,
        rule: rule == "vrf" ? .vrf : .commitment,
        selector: profile == "v4" ? 0x65e3_fa72 : 0xeb13_eb11,
        noticeMillis: UInt64(try arguments.integer("notice-s", 60, in: 0...year)) * 1_000,
        keyGraceMillis: UInt64(try arguments.integer("key-grace-s", 600, in: 0...year)) * 1_000,
        grant: try amount(arguments, "grant", 1_000_000_000_000_000_000),
        supply: try amount(arguments, "supply", 1_000_000_000_000_000_000_000_000)
    )
}

private func amount(
    _ arguments: Arguments,
    _ option: String,
    _ otherwise: UInt128
) throws(Failure) -> UInt128 {
    guard let text = arguments[option] else { return otherwise }
    guard let amount = UInt128(text) else {
        throw .usage("--\(option) \(text): not a whole number")
    }
    return amount
}

private func showLedger(_ arguments: Arguments) throws(Failure) {
    let client = LedgerClient(socket: arguments.value("socket"))
    do throws(ChainError) {
        let status = try client.status()
        let accounts = try client.allAccounts()
        let channels = try client.allChannels()
        print(
            arguments.json
                ? ledgerDocument(status, accounts, channels).description
                : ledgerText(status, accounts, channels)
        )
    } catch {
        switch error {
        case .unreachable, .protocolViolation: throw .unreachable("\(error)")
        case .refused: throw .failed("\(error)")
        }
    }
}

private func ledgerDocument(
    _ status: LedgerStatus,
    _ accounts: [Account],
    _ channels: [Channel]
) -> JSON {
    [
        "chain_id": .integer(status.parameters.chainID),
        "contract": .string("0x\(status.parameters.contract.hex)"),
        "sequence": .integer(status.sequence),
        "supply": .string("\(status.parameters.supply)"), "sum": .string("\(status.total)"),
        "treasury": .string("\(status.treasury)"),
        "accounts": .array(
            accounts.map {
                ["address": .string("0x\($0.address.hex)"), "balance": .string("\($0.balance)")]
            }
        ),
        "channels": .array(
            channels.map {
                [
                    "source": .string("0x\($0.source.hex)"),
                    "destination": .string("0x\($0.destination.hex)"),
                    "status": .string("\($0.status)"), "balance": .string("\($0.balance)"),
                    "epoch": .integer($0.channelEpoch), "ticket_epoch": .integer($0.ticketEpoch),
                    "index": .integer($0.ticketIndex),
                ]
            }
        ),
    ]
}

private func ledgerText(
    _ status: LedgerStatus,
    _ accounts: [Account],
    _ channels: [Channel]
) -> String {
    let accountRows = accounts.map { ["0x\($0.address.hex)", "\($0.balance)"] }
    let channelRows = channels.map { channel in
        [
            "\(Output.short("0x\(channel.source.hex)")) → "
                + Output.short("0x\(channel.destination.hex)"),
            "\(channel.status)", "\(channel.balance)", "\(channel.ticketIndex)",
        ]
    }
    return [
        "ledger of chain \(status.parameters.chainID), "
            + "contract 0x\(status.parameters.contract.hex), event \(status.sequence)",
        Output.table(["account", "balance"], accountRows + [["treasury", "\(status.treasury)"]]),
        Output.table(["channel", "status", "balance", "index"], channelRows),
        "sum of all balances: \(status.total)",
    ].joined(separator: "\n\n")
}
