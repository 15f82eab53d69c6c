internal import Bytes
internal import Exchange
internal import Trace

/// The taps of all packet threads, and the file that their records go to.
///
/// One thread's at a time: whoever begins hands it to the thread of the recording.
final class TraceTaps: @unchecked Sendable {
    private(set) var threads: PacketThreads
    private var taps: [TapReader]
    private let file: TraceFile
    /// Records that found no room at these threads when they began, and those at others since.
    private var droppedBefore: UInt64 = 0
    private var droppedElsewhere: UInt64 = 0

    init(_ threads: PacketThreads, file: TraceFile) {
        self.threads = threads
        self.file = file
        taps = []
    }

    /// Opens the taps; all that crosses the links from now on is recorded.
    func begin(keeping bytes: Int) {
        taps = threads.taps()
        droppedBefore = threads.traceDropped
        for index in taps.indices { taps[index].begin(keeping: bytes) }
        threads.wait(for: taps)
    }

    /// Closes the taps: nothing more comes.
    func end() {
        for tap in taps { tap.end() }
        threads.wait(for: taps)
    }

    /// Other threads have taken the place of these, whose taps are closed and empty.
    func change(to others: PacketThreads, keeping bytes: Int) {
        droppedElsewhere += threads.traceDropped - droppedBefore
        threads = others
        begin(keeping: bytes)
    }

    /// Records that found no room.
    var dropped: UInt64 { droppedElsewhere + threads.traceDropped - droppedBefore }
    /// Frames and datagrams in the file.
    var records: UInt64 { file.count }
    /// Bytes of the file if it ends now.
    var byteCount: Int { file.byteCount }

    /// True if a record waits.
    var hasMore: Bool {
        taps.indices.contains { taps[$0].next() != nil }
    }

    /// Takes at most so many records, by the time they have; false if the file may not become
    /// longer.
    func take(most: Int, since beganNanos: UInt64) throws(SystemError) -> Bool {
        var nanos: UInt64 = 0
        for _ in 0..<most {
            guard let (index, record) = oldest() else { break }
            nanos = record.nanos > beganNanos ? record.nanos - beganNanos : 0
            let isTaken = try file.add(
                TraceRecord(
                    nanos: nanos,
                    link: Int(record.keyID),
                    direction: record.isOutgoing ? .outgoing : .incoming,
                    kind: record.kind,
                    size: record.size,
                    kept: record.kept
                )
            )
            guard isTaken else { return false }
            taps[index].release()
        }
        try file.note(dropped: dropped, nanos: nanos)
        return true
    }

    private func oldest() -> (Int, TapRecord)? {
        var found: (Int, TapRecord)?
        for index in taps.indices {
            guard let record = taps[index].next() else { continue }
            if let (_, other) = found, other.nanos <= record.nanos { continue }
            found = (index, record)
        }
        return found
    }

    /// Ends the file; returns why it ended.
    func finish(_ why: TraceEnd, nanos: UInt64) throws(SystemError) -> TraceEnd {
        try file.finish(why, dropped: dropped, nanos: nanos)
    }
}
