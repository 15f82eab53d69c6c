internal import JSON
internal import Synchronization

/// Where recordings are asked for: one at a time.
final class TraceDesk: Sendable {
    private let state = Mutex<TraceRecording?>(nil)
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Begins a recording; when it returns, all that crosses the links is recorded.
    func begin(
        _ wish: TraceWish,
        packetBytes: Int,
        threads: @escaping @Sendable () -> PacketThreads?
    ) throws(AdminError) {
        let recording = TraceRecording(wish, packetBytes: packetBytes, threads: threads)
        let other = state.withLock { state in
            if let state, state.progress.end == nil { return Optional(state.wish.file) }
            state = recording
            return nil
        }
        if let other { throw AdminError("a trace is being recorded, to \(other)") }
        do throws(SystemError) {
            guard let taps = try recording.begin() else {
                throw SystemError("record", "a node that has not begun", number: 11)
            }
            logger.log(.info, "recording a trace to \(wish.file)")
            let logger = logger
            _ = ControlThread("trace") {
                recording.run(taps)
                let progress = recording.progress
                let failure = progress.failure.map { "; \($0)" } ?? ""
                let why = progress.end?.text ?? ""
                logger.log(.info, "trace \(wish.file) ended: \(why)\(failure)")
            }
        } catch {
            state.withLock { $0 = nil }
            throw AdminError(error.description)
        }
    }

    /// How far the recording is, or the last one is; nil if there was none.
    var progress: TraceProgress? {
        guard let recording = state.withLock({ $0 }) else { return nil }
        return recording.progress
    }

    /// How the one to this file is doing, for whoever waits for it.
    func ask(_ file: String) throws(AdminError) -> JSON {
        guard let recording = state.withLock({ $0 }), recording.wish.file == file else {
            throw AdminError("no trace is recorded to \(file)")
        }
        recording.noteAsked()
        return recording.progress.document
    }

    /// Ends the recording to this file, if it has not ended.
    func end(_ file: String) throws(AdminError) -> JSON {
        guard let recording = state.withLock({ $0 }), recording.wish.file == file else {
            throw AdminError("no trace is recorded to \(file)")
        }
        finish(recording, .asked)
        return recording.progress.document
    }

    /// Ends whatever is recorded.
    func end(_ why: TraceEnd) {
        guard let recording = state.withLock({ $0 }) else { return }
        finish(recording, why)
    }

    private func finish(_ recording: TraceRecording, _ why: TraceEnd) {
        recording.end(why)
        while recording.progress.end == nil { pause(millis: 1) }
    }
}
