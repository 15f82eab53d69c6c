public import Bytes
internal import Chain
internal import Crypto
internal import Datapath
internal import Exchange
public import JSON
internal import Link
internal import Sphinx
internal import Tickets
internal import Trace

/// Sends what a trace says came in to a relay, as one of its neighbours: at the trace's times, in
/// frames of the same kinds and sizes. Packets that the trace has whole are sent as they are; for
/// anything else random bytes of the same size are sent.
public struct TraceReplay {
    /// What is to be replayed.
    public struct Plan: Sendable {
        /// The trace.
        public var file: String
        /// Configuration of the neighbour, which must not run meanwhile.
        public var configuration: Configuration
        /// Chain address of the relay.
        public var to: Address
        /// Where it is; nil for where the register says.
        public var place: HostPort?
        /// So many times as fast as recorded.
        public var speed = 1.0
        /// Frames a second, whatever the trace's times are; nil for these.
        public var rate: Int?
        /// How long answers are waited for after the last frame.
        public var waitMillis = 1_000

        /// A replay to a relay.
        public init(file: String, configuration: Configuration, to: Address) {
            self.file = file
            self.configuration = configuration
            self.to = to
        }
    }

    /// Longest wait for a link.
    private static let linkMillis: UInt64 = 10_000
    /// Longest body of a frame that is no packet.
    private static let bodyBytesMax = 4_096

    private let plan: Plan
    private let link: ReplayLink
    private let body = Memory(1 << 16)
    private var kinds: [UInt8: UInt64] = [:]
    private var asRecorded: UInt64 = 0
    private var outgoing: UInt64 = 0
    private var datagrams: UInt64 = 0
    private var skipped: UInt64 = 0
    private var linkless: UInt64 = 0
    private var lateNanosMost: UInt64 = 0
    private var lateNanosSum: UInt64 = 0
    private var nanos: UInt64 = 0

    /// Replays a trace; what was sent and what came back.
    ///
    /// - Parameter isStopped: asked now and then.
    public static func run(_ plan: Plan, isStopped: () -> Bool) throws(StartError) -> JSON {
        var replay = try TraceReplay(plan)
        do throws(TraceFailure) {
            var stream = try TraceStream(plan.file)
            let (found, ours) = (stream.header.packetBytes, replay.link.packetBytes)
            guard found == ours else {
                throw TraceFailure(
                    "\(plan.file): its packets have \(found) bytes, those of the node \(ours)"
                )
            }
            try replay.connect(isStopped)
            try replay.send(&stream, isStopped)
        } catch {
            throw .failed(error.description)
        }
        replay.waitForAnswers(isStopped)
        return replay.document
    }

    private init(_ plan: Plan) throws(StartError) {
        self.plan = plan
        let configuration = plan.configuration
        let logger = Logger(level: .error)
        if (try? AdminClient.ask(.status, socket: configuration.node.adminSocket)) != nil {
            throw .failed("the node of \(configuration.file) runs: its link cannot be used twice")
        }
        let geometry = try Startup.geometry(configuration.packet)
        let keys = try KeyRing(configuration, logger: logger)
        let layer = LedgerClient(socket: configuration.ledgerSocket)
        let parameters = try Startup.parameters(layer, geometry)
        let view: LedgerView
        do throws(ChainError) {
            view = try LedgerView(of: layer)
        } catch {
            throw .unreachable("\(error)")
        }
        guard let key = keys.newest,
            view.nodes.values.contains(where: { $0.packetKey == key.publicKey })
        else {
            throw .failed(
                "the register does not have the key of \(configuration.file): run it once"
            )
        }
        guard let node = view.node(plan.to) else {
            throw .failed("the register has no node 0x\(plan.to.hex)")
        }
        let place = plan.place.map { Endpoint($0) } ?? node.endpoint
        guard let place, place.family != 0 else { throw .wrong("--at is no address") }
        let config = LinkConfig(
            prologue: LinkPrologue(
                packetBytes: geometry.packetBytes,
                payloadBytes: geometry.payloadBytes,
                selector: geometry.ticketSelector,
                domain: parameters.domain
            ),
            datagramBytes: configuration.links.datagramBytes == 0
                ? LinkLimits.datagramBytes : configuration.links.datagramBytes
        )
        let peer = LinkPeer(
            keyID: node.keyID,
            packetKey: node.packetKey,
            address: DatagramAddress(place)
        )
        let made: ReplayLink?
        do throws(SystemError) {
            made = try ReplayLink(config, key: key, to: peer, at: place)
        } catch {
            throw .failed(error.description)
        }
        guard let made else { throw .failed("0x\(plan.to.hex) is this node itself") }
        link = made
    }

    private func connect(_ isStopped: () -> Bool) throws(TraceFailure) {
        let end = MonotonicClock.nanos() + TraceReplay.linkMillis * 1_000_000
        while !link.isUp {
            guard MonotonicClock.nanos() < end, !isStopped() else {
                throw TraceFailure(
                    "0x\(plan.to.hex) does not answer: is it there, and does its register have "
                        + "the key of \(plan.configuration.file)?"
                )
            }
            link.turn()
            link.wait(millis: 5)
        }
    }

    private mutating func send(
        _ stream: inout TraceStream,
        _ isStopped: () -> Bool
    ) throws(TraceFailure) {
        let start = MonotonicClock.nanos()
        var first: UInt64?
        var number: UInt64 = 0
        while let record = try stream.next(), !isStopped() {
            guard let type = type(of: record) else { continue }
            let base = first ?? record.nanos
            first = base
            let after = Double(record.nanos > base ? record.nanos - base : 0) / plan.speed
            // A trace from anybody may say anything.
            var due = UInt64(min(after, 1e18))
            if let rate = plan.rate { due = number * 1_000_000_000 / UInt64(rate) }
            let now = wait(until: start + due, isStopped)
            if isStopped() { break }
            number += 1
            fill(record, type)
            guard link.add(type, body.region.slice(0, record.size), now: now) else {
                linkless += 1
                continue
            }
            kinds[record.kind, default: 0] += 1
            let late = now > start + due ? now - start - due : 0
            lateNanosMost = max(lateNanosMost, late)
            lateNanosSum += late
        }
        link.flush()
        nanos = MonotonicClock.nanos() - start
    }

    /// The frame that is sent for a record; nil if none is, which is counted.
    private mutating func type(of record: TraceRecord) -> FrameType? {
        guard record.kind != TraceRecord.note else { return nil }
        guard record.direction == .incoming else {
            outgoing += 1
            return nil
        }
        guard record.kind != TraceRecord.datagram else {
            datagrams += 1
            return nil
        }
        guard let type = FrameType(number: record.kind) else {
            skipped += 1
            return nil
        }
        let isSendable =
            switch type {
            case .packet: record.size == link.packetBytes
            case .ping, .pong: (8...64).contains(record.size)
            case .acknowledgements, .paymentTerms, .locks, .secrets, .promises, .logSegment:
                record.size <= TraceReplay.bodyBytesMax
            }
        if !isSendable { skipped += 1 }
        return isSendable ? type : nil
    }

    /// Makes a record's body.
    private mutating func fill(_ record: TraceRecord, _ type: FrameType) {
        let bytes = body.region.slice(0, record.size)
        if type == .packet, record.kept.byteCount == record.size {
            bytes.copy(record.kept, to: 0)
            asRecorded += 1
            return
        }
        Random.fill(bytes)
        if type == .acknowledgements, record.size >= 2 {
            let count = (record.size - 2) / Acknowledgements.byteCount
            _ = Acknowledgements.begin(bytes, count: count)
        }
    }

    /// Keeps the link going until a time; returns when that was.
    private func wait(until nanos: UInt64, _ isStopped: () -> Bool) -> UInt64 {
        var now = MonotonicClock.nanos()
        guard now < nanos else { return now }
        link.flush()
        while now < nanos, !isStopped() {
            link.turn()
            let millis = (nanos - now) / 1_000_000
            if millis > 0 { link.wait(millis: Int(min(millis, 20))) }
            now = MonotonicClock.nanos()
        }
        return now
    }

    private func waitForAnswers(_ isStopped: () -> Bool) {
        let end = MonotonicClock.nanos() + UInt64(plan.waitMillis) * 1_000_000
        while MonotonicClock.nanos() < end, !isStopped() {
            link.turn()
            link.flush()
            link.wait(millis: 5)
        }
    }

    private var document: JSON {
        let frames = kinds.values.reduce(0, +)
        let seconds = Double(nanos) / 1e9
        let members = kinds.sorted { $0.key < $1.key }.map {
            JSON.Member(TraceSummary.name($0.key), .integer($0.value))
        }
        let echoes = link.echoes
        return [
            "file": .string(plan.file), "frames": .integer(frames), "sent": .object(members),
            "as_recorded": .integer(asRecorded), "datagrams": .integer(link.sent),
            "bytes": .integer(link.sentBytes), "refused_by_kernel": .integer(link.unsent),
            "without_link": .integer(linkless),
            "left_out": [
                "outgoing": .integer(outgoing), "datagrams": .integer(datagrams),
                "unsendable": .integer(skipped),
            ],
            "seconds": .double(Double(nanos / 1_000_000) / 1e3),
            "frames_per_second": .integer(UInt64(Double(frames) / max(seconds, 1e-3))),
            "late_us": [
                "mean": .integer(lateNanosSum / max(1, frames) / 1_000),
                "max": .integer(lateNanosMost / 1_000),
            ],
            "came_back": [
                "datagrams": .integer(echoes.datagrams), "packets": .integer(echoes.packets),
                "acknowledgements": .integer(echoes.acknowledgements),
                "pings": .integer(echoes.pings), "pongs": .integer(echoes.pongs),
                "others": .integer(echoes.others),
            ],
        ]
    }
}
