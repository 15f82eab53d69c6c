internal import JSON
internal import Store

/// What became of upgrades since the node was started first.
struct UpgradeRecord: Equatable, Sendable {
    /// Times that another program was asked for and had agreed.
    var attempts: UInt64 = 0
    /// Times that it went on where the one before had stopped.
    var done: UInt64 = 0
    /// How long the last one took, from the first worker that stopped to the last that went on.
    var pauseNanos: UInt64 = 0
    /// Why the last one failed; empty if it did not.
    var failure = ""

    init() {}

    /// For `dray status`.
    var document: JSON {
        [
            "attempts": .integer(attempts), "done": .integer(done),
            "pause_us": .integer(pauseNanos / 1_000),
            "failure": failure.isEmpty ? .null : .string(failure),
        ]
    }

    func write(_ writer: inout RecordWriter) {
        writer.integer(attempts)
        writer.integer(done)
        writer.integer(pauseNanos)
        writer.counted(Array(failure.utf8))
    }

    init?(_ reader: inout RecordReader) {
        guard let attempts: UInt64 = reader.integer(), let done: UInt64 = reader.integer(),
            let pause: UInt64 = reader.integer(), let failure = reader.counted()
        else { return nil }
        self.attempts = attempts
        self.done = done
        pauseNanos = pause
        self.failure = String(decoding: failure, as: UTF8.self)
    }
}
