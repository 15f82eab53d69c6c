import Bytes
import Exchange
import Gateway
import Sphinx
import TestSupport

/// An entry and an exit with a network between them that loses, copies and reorders, without any
/// cryptography: a SURB is its own sender id.
struct World {
    enum Parcel {
        case toExit(Pseudonym, [Exit.SURBEntry], [UInt8])
        case toEntry(SenderID, UInt8, [UInt8])
        case toTarget(Exit.FlowID, [UInt8])
        case toExitTarget(Exit.FlowID, [UInt8])
    }

    var entry: Entry
    var exit: Exit
    var random: SeededGenerator
    var now: UInt64 = 1_000_000_000
    /// In thousandths.
    var loss = 0
    var copies = 0
    /// How a target answers; nil answers nothing.
    var answer: ([UInt8]) -> [UInt8]? = { $0 }
    private(set) var delivered: [(client: Endpoint, bytes: [UInt8])] = []
    private(set) var atTarget: [[UInt8]] = []
    private(set) var refusals: [Frame.Refusal] = []
    private var air: [(due: UInt64, parcel: Parcel)] = []
    private var surbs: UInt64 = 0
    private var nextTick: UInt64 = 0

    init(
        _ name: String,
        geometry: Geometry = .head,
        targets: Set<String> = ["t:1"],
        limits: Limits = Limits(),
        seed: UInt64? = nil
    ) {
        entry = Entry(geometry: geometry, target: "t:1", limits: limits)
        exit = Exit(geometry: geometry, targets: targets, limits: limits)
        random = SeededGenerator(name, seed: seed)
    }

    static func client(_ port: UInt16) -> Endpoint { Endpoint(ipv4: 127, 0, 0, 1, port: port) }

    mutating func fresh() -> Pseudonym { Pseudonym(random.bytes(10)) ?? Pseudonym() }

    mutating func send(_ bytes: [UInt8], from port: UInt16 = 1) {
        let fresh = fresh()
        perform(entry.datagram(from: World.client(port), bytes, now: now, fresh: fresh))
    }

    /// Lets time pass in steps of ten milliseconds.
    mutating func run(millis: Int) {
        for _ in 0..<max(1, millis / 10) {
            now += 10_000_000
            let due = air.filter { $0.due <= now }.sorted { $0.due < $1.due }
            air.removeAll { $0.due <= now }
            for item in due { arrive(item.parcel) }
            if now >= nextTick {
                nextTick = now + 250_000_000
                perform(entry.tick(now: now))
                perform(exit.tick(now: now))
            }
        }
    }

    private mutating func launch(_ parcel: Parcel, safe: Bool = false) {
        if !safe, Int.random(in: 0..<1000, using: &random) < loss { return }
        let twice = !safe && Int.random(in: 0..<1000, using: &random) < copies
        for _ in 0..<(twice ? 2 : 1) {
            air.append((now + UInt64.random(in: 1_000_000..<80_000_000, using: &random), parcel))
        }
    }

    mutating func perform(_ actions: [Entry.Action]) {
        for action in actions {
            switch action {
            case .send(let message):
                var fresh: [Exit.SURBEntry] = []
                for _ in 0..<message.surbCount {
                    surbs += 1
                    var id = SenderID()
                    for index in 0..<10 { id[index] = message.pseudonym[index] }
                    for index in 0..<8 {
                        id[10 + index] = UInt8(truncatingIfNeeded: surbs >> UInt64(8 * index))
                    }
                    fresh.append(Exit.SURBEntry(senderID: id, bytes: id.array))
                }
                entry.sent(fresh.map { World.opener($0.senderID) }, now: now)
                launch(.toExit(message.pseudonym, fresh, message.text))
            case .deliver(let client, let bytes): delivered.append((client, bytes))
            case .refused(_, let reason): refusals.append(reason)
            }
        }
    }

    mutating func perform(_ actions: [Exit.Action]) {
        for action in actions {
            switch action {
            case .datagram(let flow, _, let bytes): launch(.toTarget(flow, bytes), safe: true)
            case .close: break
            case .reply(let surb, let signal, let text):
                launch(.toEntry(surb.senderID, signal.rawValue, text))
            }
        }
    }

    private mutating func arrive(_ parcel: Parcel) {
        switch parcel {
        case .toExit(let pseudonym, let surbs, let text):
            perform(exit.message(from: pseudonym, surbs: surbs, text: text, now: now))
        case .toTarget(let flow, let bytes):
            atTarget.append(bytes)
            if let reply = answer(bytes) { launch(.toExitTarget(flow, reply), safe: true) }
        case .toExitTarget(let flow, let bytes):
            perform(exit.answer(flow, bytes, now: now))
        case .toEntry(let id, let signal, let text):
            guard entry.opener(for: id, now: now) != nil else { return }
            let pseudonym = Pseudonym(id.array[..<10]) ?? Pseudonym()
            perform(entry.reply(to: pseudonym, signal: signal, text: text, now: now))
        }
    }

    private static func opener(_ id: SenderID) -> ReplyOpener {
        var opener = ReplyOpener()
        opener.senderID = id
        return opener
    }
}
