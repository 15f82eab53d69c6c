internal import Bytes
internal import Exchange
internal import Link
internal import Relay
internal import Sphinx
internal import Store

/// What two programs must have alike for one to go on where the other stopped: names, most of them
/// keys of the configuration, and values.
struct StateStamp: Equatable, Sendable {
    /// Of what is handed over; raised when anything in it means something else.
    static let format = 1

    struct Entry: Equatable, Sendable {
        var name: String
        var value: String
    }

    private(set) var entries: [Entry] = []

    /// What a node of this build and configuration would hand over and take.
    init(_ configuration: Configuration) throws(StartError) {
        let geometry = try Startup.geometry(configuration.packet)
        let links = configuration.links
        let workers = configuration.workers
        add("handover", "\(Self.spokenFormat)")
        add("store", "\(NodeStore.format)")
        add("node.data", configuration.node.data)
        add("node.keys", configuration.node.keys)
        add("node.listen", "\(configuration.node.listen)")
        add("ledger.socket", configuration.ledgerSocket)
        add("packet.payload_bytes", "\(geometry.payloadBytes)")
        add("packet.surb_bytes", "\(geometry.surbBytes)")
        add("packet.ticket_selector", "\(geometry.ticketSelector)")
        add("workers.count", "\(workers.count)")
        add("workers.receive_buffers", "\(workers.receiveBuffers)")
        add("links.peers", "\(links.peers)")
        add("links.datagram_bytes", "\(links.datagramBytes)")
        add("links.constant_rate", "\(links.constantRate)")
        add("links.coalescing", "\(links.coalescing)")
        add("mixing.capacity", "\(configuration.mixing.capacity)")
        add("the tick of mixing", "\(Self.tick(configuration, geometry)) ns")
        add("tickets.unacknowledged", "\(configuration.tickets.unacknowledged)")
        add("tickets.self_check", "\(configuration.tickets.selfCheck)")
        add("replay.tags", "\(configuration.replay.tags)")
        add("tables", Self.layout(configuration, geometry))
    }

    /// A test of a debug build may speak another one.
    private static var spokenFormat: Int {
        #if DEBUG
        if let text = environment("DRAY_HANDOVER_FORMAT"), let other = Int(text) { return other }
        #endif
        return format
    }

    private static func layout(_ configuration: Configuration, _ geometry: Geometry) -> String {
        let plan = PacketThreads.plan(configuration, geometry)
        var arena = Arena()
        arena.note(plan.layout)
        arena.note(LinkTable.layout(plan.links.size))
        arena.note(SnapshotWriter.layout)
        arena.note(UInt64(ChannelBooks.byteCount(slots: Daemon.channelSlots)))
        return String(arena.layout, radix: 16)
    }

    /// Longer delays have a longer one, and packets wait by number of ticks.
    private static func tick(_ configuration: Configuration, _ geometry: Geometry) -> UInt64 {
        let config = PacketThreads.plan(configuration, geometry).config
        var arena = Arena()
        return TimingWheel(
            &arena,
            slots: 1,
            tickNanos: config.tickNanos,
            horizonNanos: config.mixing.maxNanos
        ).tickNanos
    }

    private mutating func add(_ name: String, _ value: String) {
        entries.append(Entry(name: name, value: String(value.filter { $0 != "\n" })))
    }

    private func value(_ name: String) -> String? { entries.first { $0.name == name }?.value }

    // MARK: as text

    /// A line for each entry.
    var text: String { entries.map { "\($0.name)=\($0.value)" }.joined(separator: "\n") }

    /// What `text` gave.
    init(text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : ""
            entries.append(Entry(name: String(parts[0]), value: value))
        }
    }

    // MARK: comparing

    /// Why a program with this stamp cannot go on where one with the other stopped; nil if it can.
    func refusal(of running: StateStamp) -> String? {
        for entry in running.entries {
            guard let mine = value(entry.name) else {
                return "the running node hands over \(entry.name), which this program does not know"
            }
            if mine != entry.value, let reason = Self.reason(entry.name, mine, entry.value) {
                return reason
            }
        }
        let missing = entries.first { running.value($0.name) == nil }
        return missing.map { "the running node does not hand over \($0.name), which is needed" }
    }

    private static func reason(_ name: String, _ mine: String, _ running: String) -> String? {
        switch name {
        case "handover":
            return "this program takes format \(mine) of what is handed over, the running node "
                + "hands over format \(running)"
        case "store":
            if let mine = Int(mine), let running = Int(running), mine >= running { return nil }
            return "this program reads claims of format \(mine), those of the running node are of "
                + "format \(running)"
        case "tables":
            return "this program divides its memory in another way"
        default:
            return "\(name) is \(mine) now, and \(running) in the running node"
        }
    }
}
