// swift-format-ignore-file: NeverForceUnwrap
import Bytes
import Chain
import Channels
import Exchange
import Foundation
import LedgerSupport
import Store
import Tickets

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("kill-loop: \(message)\n".utf8))
    exit(1)
}

/// One line, written at once: what a test reads has happened.
func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}

/// A ledger that serves until it is killed.
func serveLedger(folder: String, socket: String) -> Never {
    do {
        let store = try LedgerStore(
            folder: folder,
            parameters: testParameters(supply: 1_000_000_000),
            genesis: killGenesis
        )
        let server = try LedgerServer(store, socket: socket)
        say("ready")
        try server.run()
        exit(0)
    } catch {
        fail("\(error)")
    }
}

private func moment() -> Moment {
    let nanos = DispatchTime.now().uptimeNanoseconds
    return Moment(nanos: nanos, millis: UInt64(Date().timeIntervalSince1970 * 1_000))
}

/// A node that is paid by player 1: it is fed tickets and says which are stored. Without a first
/// index it finishes what is open and leaves.
func runNode(folder: String, socket: String, first: UInt64?) -> Never {
    do {
        let store = try NodeStore(folder: folder)
        let layer = LedgerClient(socket: socket)
        let memory = Memory(ChannelBooks.byteCount(slots: 8))
        var policy = ChannelPolicy()
        policy.ackTTLNanos = 30_000_000
        policy.slackNanos = 10_000_000
        policy.retryNanos = 20_000_000
        var setup = ChannelRuntime.Setup(
            key: Player(2).chain,
            policy: policy,
            store: store,
            layer: layer,
            books: ChannelBooks(memory.region, slots: 8)
        )
        setup.pollMillis = 10
        let runtime = try ChannelRuntime(setup, now: moment())
        runtime.start()
        say("ready")
        var next = first ?? 0
        while true {
            let channel = runtime.channels.first { $0.channel.status == .open }
            var reports: [Report] = []
            var stored: [UInt64] = []
            if first != nil, let channel {
                for _ in 0..<Int.random(in: 1...2) {
                    feed(next, channel, runtime.identity.parameters, &reports)
                    stored.append(next)
                    // Gaps, as lost packets leave them.
                    next += Int.random(in: 0..<10) == 0 ? 3 : 1
                }
            }
            try runtime.turn(reports, now: moment())
            if !stored.isEmpty {
                say("stored " + stored.map(String.init).joined(separator: " "))
            }
            if first == nil, let channel, isDone(runtime, channel) {
                runtime.stop()
                say("done")
                exit(0)
            }
            usleep(2_000)
        }
    } catch {
        fail("\(error)")
    }
}

private func feed(
    _ index: UInt64,
    _ info: ChannelInfo,
    _ parameters: LedgerParameters,
    _ reports: inout [Report]
) {
    let now = DispatchTime.now().uptimeNanoseconds
    let ticket = TestTicket(
        issuer: Player(1).chain,
        channel: info.channel,
        parameters: parameters,
        index: index,
        amount: 10,
        probability: WinProbability(0.5)!
    )
    reports.append(.locked(channel: info.slot, index: index, atNanos: now))
    reports.append(
        .unlocked(
            channel: info.slot,
            ticket: ticket.bytes,
            response: ticket.response,
            atNanos: now
        )
    )
}

private func isDone(_ runtime: ChannelRuntime, _ info: ChannelInfo) -> Bool {
    let left = runtime.unfinished
    return left.unlocked == 0 && left.unsettled == 0 && !left.inFlight
}
