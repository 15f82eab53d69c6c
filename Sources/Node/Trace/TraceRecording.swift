internal import Bytes
internal import Exchange
internal import JSON
internal import Synchronization
internal import Trace

/// How far a recording is.
struct TraceProgress: Sendable {
    var records: UInt64 = 0
    /// Records that found no room.
    var dropped: UInt64 = 0
    var bytes = 0
    var nanos: UInt64 = 0
    /// Why it is over; nil while it is not.
    var end: TraceEnd?
    /// What the system said, if the file has no end because of it, or is cut short.
    var failure: String?

    /// Members of an answer.
    var document: JSON {
        [
            "recording": .bool(end == nil), "records": .integer(records),
            "dropped": .integer(dropped), "bytes": .integer(bytes),
            "seconds": .double(Double(nanos / 1_000_000) / 1e3),
            "end": end.map { .string("\($0)") } ?? .null,
            "failure": failure.map { .string($0) } ?? .null,
        ]
    }
}

/// Records what crosses the links into a file, on a thread of its own, until there is a reason to
/// end.
final class TraceRecording: Sendable {
    private static let pauseMillis = 2
    /// Records taken before the end is looked for again.
    private static let recordsAtOnce = 1 << 14
    /// How long it goes on though nobody asks for it.
    static let patienceNanos: UInt64 = 30_000_000_000

    let wish: TraceWish
    private let threads: @Sendable () -> PacketThreads?
    private let progressBox = Mutex(TraceProgress())
    private let endBox = Mutex<TraceEnd?>(nil)
    private let askedNanos: Atomic<UInt64>
    private let beganNanos: UInt64
    private let packetBytes: Int

    /// - Parameter threads: those that take packets now; others take their place with a new key.
    init(_ wish: TraceWish, packetBytes: Int, threads: @escaping @Sendable () -> PacketThreads?) {
        self.wish = wish
        self.packetBytes = packetBytes
        self.threads = threads
        beganNanos = MonotonicClock.nanos()
        askedNanos = Atomic(beganNanos)
    }

    /// How far it is.
    var progress: TraceProgress { progressBox.withLock { $0 } }

    /// Somebody still wants it.
    func noteAsked() { askedNanos.store(MonotonicClock.nanos(), ordering: .relaxed) }

    /// Asks it to end; what was asked first counts.
    func end(_ why: TraceEnd) { endBox.withLock { $0 = $0 ?? why } }

    /// Bytes kept of a packet.
    private var kept: Int { wish.isWhole ? packetBytes : 0 }

    /// Begins the file and, when it returns, the recording; then call `run` on a thread.
    func begin() throws(SystemError) -> TraceTaps? {
        let header = TraceHeader(
            packetBytes: packetBytes,
            // Links are named by key ids.
            links: Int(UInt32.max),
            keptBytesMax: max(kept, TraceNote.byteCount),
            wallNanos: WallClock.millis() * 1_000_000,
            label: TraceNote.label ?? Bytes16()
        )
        guard let threads = threads() else { return nil }
        let file = try TraceFile(
            wish.file,
            header,
            replaces: wish.replaces,
            limit: wish.bytes ?? .max
        )
        let taps = TraceTaps(threads, file: file)
        taps.begin(keeping: kept)
        return taps
    }

    /// Records until there is a reason to end, and ends the file.
    func run(_ taps: TraceTaps) {
        var why: TraceEnd?
        while why == nil {
            why = pass(taps)
            if why == nil { pause(millis: Self.pauseMillis) }
        }
        taps.end()
        if why != .bytes && why != .disk {
            // What was left before the taps were closed.
            while why != .bytes, taps.hasMore { why = take(taps, before: why) }
        }
        finish(taps, why ?? .asked)
    }

    /// Takes what there is; returns why it is to end, if it is.
    private func pass(_ taps: TraceTaps) -> TraceEnd? {
        if let now = threads(), now !== taps.threads {
            taps.end()
            while taps.hasMore { if let end = take(taps, before: nil) { return end } }
            taps.change(to: now, keeping: kept)
        }
        if let end = take(taps, before: nil) { return end }
        let now = MonotonicClock.nanos()
        if let asked = endBox.withLock({ $0 }) { return asked }
        if let seconds = wish.seconds, now - beganNanos >= UInt64(seconds) * 1_000_000_000 {
            return .seconds
        }
        let asked = askedNanos.load(ordering: .relaxed)
        return now > asked && now - asked > Self.patienceNanos ? .unasked : nil
    }

    /// Takes some records; returns `before`, or why no more can be written.
    private func take(_ taps: TraceTaps, before: TraceEnd?) -> TraceEnd? {
        do throws(SystemError) {
            let isTaken = try taps.take(most: Self.recordsAtOnce, since: beganNanos)
            progressBox.withLock { progress in
                progress.records = taps.records
                progress.dropped = taps.dropped
                progress.bytes = taps.byteCount
                progress.nanos = MonotonicClock.nanos() - beganNanos
            }
            return isTaken ? before : .bytes
        } catch {
            progressBox.withLock { $0.failure = error.description }
            return .disk
        }
    }

    private func finish(_ taps: TraceTaps, _ why: TraceEnd) {
        var (why, failure): (TraceEnd, String?) = (why, nil)
        do throws(SystemError) {
            why = try taps.finish(why, nanos: MonotonicClock.nanos() - beganNanos)
        } catch {
            failure = "\(error.description): the file has no end"
        }
        progressBox.withLock { progress in
            progress.records = taps.records
            progress.dropped = taps.dropped
            progress.bytes = taps.byteCount
            progress.failure = failure ?? progress.failure
            progress.end = why
        }
    }
}
